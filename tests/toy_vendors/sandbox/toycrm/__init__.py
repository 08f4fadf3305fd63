"""The Toy CRM stand-in."""

DEFAULT_PORT = 9191
