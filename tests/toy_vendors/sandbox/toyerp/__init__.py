"""The Toy ERP stand-in."""

DEFAULT_PORT = 9192
