"""The formats, tried with the packages that their files are for."""
