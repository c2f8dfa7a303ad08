"""Explain one decision of a trained network: forward and backward pass, attribution, computation graph."""
