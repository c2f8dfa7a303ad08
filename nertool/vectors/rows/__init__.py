"""Tables of rows as a model stores them: plain, compressed, or product-quantised."""
