"""spaCy's formats: documents in JSON, and in spaCy's binary files."""
