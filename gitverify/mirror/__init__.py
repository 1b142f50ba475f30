"""A bare repository that only ever holds what was verified."""
