"""system_apis: the capabilities that Sales Cloud serves."""
