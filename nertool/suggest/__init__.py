"""Which texts to label next: those whose labels would teach a model most."""
