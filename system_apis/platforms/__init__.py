"""system_apis: what several vendors share on the wire. Vendors import it; it imports no vendor."""
