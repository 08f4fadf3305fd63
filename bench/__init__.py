"""bench: what the deployment costs, side by side with what it could be replaced by, as ratios."""
