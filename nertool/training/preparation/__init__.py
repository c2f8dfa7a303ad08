"""The first stage of training: corpus and vectors encoded into arrays, once."""
