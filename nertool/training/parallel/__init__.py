"""Several processes and threads that train side by side."""
