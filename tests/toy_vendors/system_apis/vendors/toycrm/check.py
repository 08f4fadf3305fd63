"""system_apis: compares a Toy CRM account with its profile."""

from collections.abc import Iterator

from system_apis.vendors.toycrm.client import ToycrmClient
from system_apis.vendors.toycrm.profile import ToycrmProfile
from system_apis.vendors.toycrm.records import Deal

from system_apis.connector.checks import Step


def steps(profile: ToycrmProfile, client: ToycrmClient) -> Iterator[Step]:
    """Whether the login works."""

    async def login() -> str:
        await client.rows("deals", Deal, limit=1)
        return f"the account gives tokens to {profile.name}"

    fix = "compare client_id and client_secret with the account's"
    yield Step("login", "token", login, fix, needed=True)
