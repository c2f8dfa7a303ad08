"""The compiled tagger: from tokens to scores, and from scores to entities."""
