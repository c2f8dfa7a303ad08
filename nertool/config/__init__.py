"""A run's settings: typed records, read from YAML."""
