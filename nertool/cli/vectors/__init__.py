"""The commands on word vectors: describe, prune, convert and train."""
