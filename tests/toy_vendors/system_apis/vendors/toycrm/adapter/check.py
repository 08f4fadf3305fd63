"""system_apis: compares a Toy CRM account with its profile."""

from system_apis.vendors.toycrm.client import ToyCrmClient
from system_apis.vendors.toycrm.records import Deal
from system_apis.vendors.toycrm.settings import ToyCrmProfile

from contracts.problems import Problem
from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well, wrong


async def check(profile: ToyCrmProfile, client: ToyCrmClient) -> InstanceReport:
    """Whether the login works."""
    try:
        await client.rows("deals", Deal, limit=1)
        login = well("login", "token", "the account gives tokens")
    except Problem as problem:
        login = wrong("login", "token", problem, "compare client_id and client_secret with the account's")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
