"""The rules: the decision on each commit, as pure functions over parsed facts; each refusal cites its rule."""
