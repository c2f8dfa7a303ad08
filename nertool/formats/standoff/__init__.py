"""Formats that keep entities apart from the text."""
