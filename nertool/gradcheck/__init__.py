"""The gradient check: the proof that every gradient is right."""
