"""Words and labels, in and out: columnar, so that a string is handled once per distinct word."""
