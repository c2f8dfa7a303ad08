"""Pictures by matplotlib (extra `plot`): of a run, of an evaluation, of a learning curve."""
