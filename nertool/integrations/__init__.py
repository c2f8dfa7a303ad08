"""What needs another library: each behind an extra of its own, imported only when it is used."""
