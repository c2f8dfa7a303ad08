"""Scores to tag sequences: Viterbi, the n best, probabilities, agreement within a document."""
