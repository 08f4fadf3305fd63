"""system_apis: the capabilities that a NetSuite account serves."""
