"""What a user might pick instead. Each peer is a program: `python -m peers.NAME train|tag …`."""
