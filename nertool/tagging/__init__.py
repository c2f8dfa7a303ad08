"""The compiled tagger: tokens to scores to entities."""
