"""system_apis: compares a Toy ERP account with its profile."""

from system_apis.vendors.toyerp.client import ToyErpClient
from system_apis.vendors.toyerp.records import Customer
from system_apis.vendors.toyerp.settings import ToyErpProfile

from contracts.problems import Problem
from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well, wrong


async def check(profile: ToyErpProfile, client: ToyErpClient) -> InstanceReport:
    """Whether the login works."""
    try:
        await client.rows("customers", Customer, limit=1)
        login = well("login", "token", "the account gives tokens")
    except Problem as problem:
        login = wrong("login", "token", problem, "compare client_id and client_secret with the account's")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
