"""The preparation of training: encode corpus and vectors into arrays, once."""
