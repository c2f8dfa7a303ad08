"""Formats of spaCy: documents in JSON, and in its own binary files."""
