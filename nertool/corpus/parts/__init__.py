"""Parts of a labelled text: held out, joined, split, compared and counted."""
