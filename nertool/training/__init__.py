"""From a config to a trained model: inputs prepared once, then epochs, each with a checkpoint."""
