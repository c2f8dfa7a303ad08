"""Labelled text in and out: one file for each format, its reader beside its writer."""
