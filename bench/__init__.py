"""bench: what the house costs, side by side with what it could be replaced by, as ratios."""
