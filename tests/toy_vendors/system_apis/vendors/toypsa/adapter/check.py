"""system_apis: compares a Toy PSA account with its profile."""

from system_apis.vendors.toypsa.client import ToyPsaClient
from system_apis.vendors.toypsa.records import Project
from system_apis.vendors.toypsa.settings import ToyPsaProfile

from contracts.problems import Problem
from contracts.system.instance import InstanceReport
from system_apis.connector.findings import well, wrong


async def check(profile: ToyPsaProfile, client: ToyPsaClient) -> InstanceReport:
    """Whether the login works."""
    try:
        await client.rows("projects", Project, limit=1)
        login = well("login", "token", "the account gives tokens")
    except Problem as problem:
        login = wrong("login", "token", problem, "compare client_id and client_secret with the account's")
    return InstanceReport(profile.name, profile.vendor, profile.environment, (login,))
