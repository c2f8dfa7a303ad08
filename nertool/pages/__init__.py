"""HTML pages: one look for all that nertool writes."""
