"""The Salesforce stand-in's records: the org that holds them, and what happens when one is written."""
