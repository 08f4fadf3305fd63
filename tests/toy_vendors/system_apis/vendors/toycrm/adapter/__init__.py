"""system_apis: implements the capabilities of Toy CRM, and checks its accounts."""
