"""Formats of text without labels."""
