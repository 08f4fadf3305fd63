"""system_apis: the wire of Salesforce's Pub/Sub API, generated from the .proto beside it."""
