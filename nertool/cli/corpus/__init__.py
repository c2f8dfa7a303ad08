"""`nertool corpus …`: one file for each command that looks after labelled text."""
