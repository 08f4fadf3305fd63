"""The Salesforce stand-in's metadata: what objects and fields an org has, and how it describes them."""
