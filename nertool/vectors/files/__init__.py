"""Files of word vectors: found out, read and written."""
