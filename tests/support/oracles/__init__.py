"""Oracles: slow or independent computations that the product is compared with."""
