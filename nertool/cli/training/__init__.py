"""The commands that train, and those that look after configs."""
