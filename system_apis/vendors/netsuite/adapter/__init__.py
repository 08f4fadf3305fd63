"""system_apis: NetSuite's side of the ERP capability, and the check of an account against its profile."""

from system_apis.vendors.netsuite.adapter.check import Checker
from system_apis.vendors.netsuite.adapter.erp import NetSuiteErp

__all__ = ["Checker", "NetSuiteErp"]
