"""tests/contracts: the frozen documents, held against a running deployment."""
