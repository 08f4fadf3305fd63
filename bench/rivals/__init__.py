"""bench/rivals: what the deployment could be replaced by, doing the same job as the benchmark read."""
