"""tests/faults: processes die, pause and are cut off in the middle of their work."""
