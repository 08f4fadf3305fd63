"""SuiteQL of the NetSuite stand-in: the Oracle-like subset that integrations use, over the records."""

from sandbox.netsuite.suiteql.run import run

__all__ = ["run"]
