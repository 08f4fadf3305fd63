"""The experience tier: what each audience sees, in its own words, of what the flows know."""
