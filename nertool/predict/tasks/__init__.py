"""The ways to tag a part of an input, one in each file."""
