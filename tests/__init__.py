"""tests: repeats the tree of the house; each docstring states its truth in one sentence."""
