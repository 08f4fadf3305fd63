"""bench/rivals: what the house could be replaced by, doing the same job as the benchmark read."""
