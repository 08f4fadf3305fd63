"""tests/guides: each guide is followed, with the example that it shows."""
