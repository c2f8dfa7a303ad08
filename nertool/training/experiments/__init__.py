"""Several trainings for one question: cross-validation, learning curves, sweeps and searches."""
