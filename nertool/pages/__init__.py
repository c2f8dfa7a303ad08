"""HTML pages: one design for every page that nertool writes."""
