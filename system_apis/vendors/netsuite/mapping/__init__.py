"""system_apis: NetSuite's records in our language and back: arithmetic, no I/O."""
