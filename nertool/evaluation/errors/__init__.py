"""Error analysis: kinds of errors, confusions, and measures on parts of the text."""
