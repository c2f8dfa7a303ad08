"""Formats that mark entities within the text."""
