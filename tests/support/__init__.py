"""Helpers that several tests share: sample texts, random models, slow but obvious computations."""
