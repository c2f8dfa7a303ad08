"""Tag files: read inputs in any format, and write them with their predicted entities."""
