"""Odd files by kind, each with what must become of it."""
