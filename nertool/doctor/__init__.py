"""The checks of labelled data that `nertool corpus check` runs."""
