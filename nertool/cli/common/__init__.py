"""What several commands share: options, streams, errors, the account of what was read."""
