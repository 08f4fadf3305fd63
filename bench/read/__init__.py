"""bench/read: the benchmark read: an audience, a flow and a vendor whose records lie in memory."""
