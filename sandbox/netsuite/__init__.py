"""The NetSuite stand-in: SuiteTalk REST records, SuiteQL, both logins, and the account's change script."""

DEFAULT_PORT = 9102
