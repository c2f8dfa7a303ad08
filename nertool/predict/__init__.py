"""Files in, tagged files out."""
