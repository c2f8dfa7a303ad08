"""Annotated text as flat arrays. Each string is handled once per word type, not once per token."""
