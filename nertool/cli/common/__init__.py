"""What several commands share: options, streams, errors, and the account of the input."""
