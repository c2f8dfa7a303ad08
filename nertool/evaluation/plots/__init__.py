"""Figures by matplotlib (extra `plot`): of a run, of an evaluation, and of a learning curve."""
