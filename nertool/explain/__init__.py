"""One decision of a trained network, worked by hand: forward, backward, why, and as a drawn graph."""
