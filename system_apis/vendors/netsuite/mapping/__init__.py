"""system_apis: maps NetSuite's records to ours and back. Pure."""
