"""Words as numbers: their vectors, their features, and the windows made of them."""
