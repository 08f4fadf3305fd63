"""bench/read: the benchmark read: an audience, a flow and a vendor with records in memory."""
