"""The NetSuite stand-in: SuiteTalk REST records, SuiteQL, both logins, and the account's change script."""

from sandbox.netsuite.vendor import NetSuite

VENDOR = NetSuite()
