"""Formats of JSON objects, one for each text."""
