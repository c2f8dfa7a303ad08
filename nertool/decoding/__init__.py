"""From scores to tag sequences: Viterbi, n-best, probabilities, and consistency within a document."""
