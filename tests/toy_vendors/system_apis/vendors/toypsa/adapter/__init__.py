"""system_apis: implements the capabilities of Toy PSA, and checks its accounts."""
