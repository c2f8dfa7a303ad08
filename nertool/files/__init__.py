"""Safe reading and writing of files: compressed files, and no half-written output."""
