"""The first policy of a repository: whose keys, written down, signed, committed and verified."""
