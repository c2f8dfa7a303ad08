"""CoNLL columns and CoNLL-U."""
