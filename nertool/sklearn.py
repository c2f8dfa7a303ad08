"""`nertool.sklearn`: the scikit-learn estimator, under a short name."""

from nertool.integrations.sklearn import NerTagger

__all__ = ["NerTagger"]
