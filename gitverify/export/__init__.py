"""A verified commit's tree, shown entry by entry, and written to a directory: whole or not at all, never past it."""
