"""The data checks of `nertool corpus check`."""
