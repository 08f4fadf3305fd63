"""The Salesforce stand-in's REST API: resources under /services/data, alone or many in one request."""
