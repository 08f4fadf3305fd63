"""system_apis: compares a Toy PSA account with its profile."""

from system_apis.vendors.toypsa.client import ToyPsaClient
from system_apis.vendors.toypsa.records import Project
from system_apis.vendors.toypsa.settings import ToyPsaProfile

from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well


async def check(profile: ToyPsaProfile, client: ToyPsaClient) -> InstanceReport:
    """Whether the login works."""
    await client.rows("projects", Project, limit=1)
    login = well("login", "token", "the account gives tokens")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
