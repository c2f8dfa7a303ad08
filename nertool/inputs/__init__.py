"""The network's inputs: windows, word features, context features and side inputs of a text."""
