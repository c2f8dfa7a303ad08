"""The commands that train, and the commands on configs."""
