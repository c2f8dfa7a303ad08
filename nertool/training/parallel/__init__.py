"""Processes and threads that train in parallel."""
