"""The innermost loops in C, by the room that calls them."""
