"""system_apis: compares a Toy CRM account with its profile."""

from system_apis.vendors.toycrm.client import ToyCrmClient
from system_apis.vendors.toycrm.records import Deal
from system_apis.vendors.toycrm.settings import ToyCrmProfile

from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well


async def check(profile: ToyCrmProfile, client: ToyCrmClient) -> InstanceReport:
    """Whether the login works."""
    await client.rows("deals", Deal, limit=1)
    login = well("login", "token", "the account gives tokens")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
