"""The Toy PSA stand-in."""

DEFAULT_PORT = 9193
