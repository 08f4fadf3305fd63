"""system_apis: implements the capabilities of Toy ERP, and checks its accounts."""
