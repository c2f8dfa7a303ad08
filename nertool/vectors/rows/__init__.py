"""Tables of rows as they are stored: plain, compressed, or coded."""
