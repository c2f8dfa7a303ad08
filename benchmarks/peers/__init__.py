"""Other tools to compare with. Each peer is a program: `python -m peers.NAME train|tag …`."""
