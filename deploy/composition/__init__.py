"""deploy/composition: the composition root: everything built from its settings and joined."""
