"""A trained model: its contents, its files, and the calibration of its probabilities."""
