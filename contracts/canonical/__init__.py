"""The business nouns, one file each, whatever vendor they come from."""
