"""Evaluation: scores, confidence intervals, comparisons, error analysis and reports."""
