"""The commands on labelled text: `nertool corpus …`."""
