"""Other libraries: each file behind the optional dependency that it needs."""
