"""The commands on a trained model: describe it, make it smaller, write it in another form."""
