"""Integrations with other libraries. Each file needs the optional dependency of its library."""
