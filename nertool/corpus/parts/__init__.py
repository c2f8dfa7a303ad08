"""Parts of a labelled text: hold out, join, split, compare and count them."""
