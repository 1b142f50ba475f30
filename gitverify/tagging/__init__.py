"""Is a tag authentic (T1 to T6)? Finds the tag, asks the engine about its commit, and looks at the marks."""
