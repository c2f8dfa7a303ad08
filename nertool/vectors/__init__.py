"""Word vectors: their files, and loading them."""
