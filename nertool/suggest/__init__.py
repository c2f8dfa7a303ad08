"""Active learning: choose the texts whose labels would improve a model most."""
