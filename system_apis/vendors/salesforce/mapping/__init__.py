"""system_apis: between Salesforce's records and our nouns, both ways. Pure."""
