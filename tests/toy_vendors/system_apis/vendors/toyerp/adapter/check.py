"""system_apis: compares a Toy ERP account with its profile."""

from system_apis.vendors.toyerp.client import ToyErpClient
from system_apis.vendors.toyerp.records import Customer
from system_apis.vendors.toyerp.settings import ToyErpProfile

from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well


async def check(profile: ToyErpProfile, client: ToyErpClient) -> InstanceReport:
    """Whether the login works."""
    await client.rows("customers", Customer, limit=1)
    login = well("login", "token", "the account gives tokens")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
