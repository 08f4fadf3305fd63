"""system_apis: the capabilities that a Kantata OX account serves."""
