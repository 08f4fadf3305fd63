"""tests: repeats the tree of the deployment; each docstring states its truth in one sentence."""
