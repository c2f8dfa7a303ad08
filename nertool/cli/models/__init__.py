"""The commands on a trained model: describe it, compress it, export it."""
