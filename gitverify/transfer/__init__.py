"""Bringing objects here that nobody has vouched for: into a quarantine, with the git program kept to itself."""
