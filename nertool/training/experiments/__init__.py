"""Experiments of several trainings: cross-validation, learning curves, sweeps and searches."""
