"""What a trained model is, how it is stored, and how its probabilities are calibrated."""
