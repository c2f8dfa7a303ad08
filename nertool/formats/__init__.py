"""Read and write labelled text. Each format has one file with its reader and its writer."""
