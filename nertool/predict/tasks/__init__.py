"""One file for each way of tagging a piece of an input."""
