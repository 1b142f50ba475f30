"""Reports: one value, one writer a file."""
