"""One file for each way of tagging a part of an input."""
