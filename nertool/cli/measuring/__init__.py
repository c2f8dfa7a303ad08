"""The commands that measure a model, compare models, or say what to label next."""
