"""Word vectors: load, train, prune and look them up."""
