"""The trained model in use: decoding, and words in, entities out."""
