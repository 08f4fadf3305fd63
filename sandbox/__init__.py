"""Stand-in vendors: each speaks its vendor's real wire format and knows nothing of the product it serves."""
