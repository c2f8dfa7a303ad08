"""The commands that measure a model, compare models, or suggest texts to label."""
