"""Text without labels."""
