"""The Kantata OX stand-in (its API is still Mavenlink's)."""

DEFAULT_PORT = 9103
