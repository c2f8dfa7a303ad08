"""Safe reading and writing: packed files, nothing half-written."""
