"""The dimensions by which a caller is bound to rows, and the claim of its token that binds it to each."""

DIMENSIONS = {"entity": "entities", "instance": "instance", "customer": "customer", "partner": "partner"}
"""A dimension that a table does not declare shows none of its rows to who is bound by it."""
