"""system_apis: between Kantata OX's records and our nouns. Pure: the profile and the catalogue decide."""
