"""Which errors a tagger makes, on what, and where."""
