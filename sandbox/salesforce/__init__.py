"""The Salesforce stand-in: Sales Cloud over REST and the Pub/Sub API, stateful and true to the wire."""

from sandbox.salesforce.vendor import Salesforce

VENDOR = Salesforce()

__all__ = ["VENDOR", "Salesforce"]
