"""Formats that store entities separately from the text."""
