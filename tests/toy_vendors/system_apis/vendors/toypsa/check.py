"""system_apis: compares a Toy PSA account with its profile."""

from collections.abc import Iterator

from system_apis.vendors.toypsa.client import ToypsaClient
from system_apis.vendors.toypsa.profile import ToypsaProfile
from system_apis.vendors.toypsa.records import Project

from system_apis.connector.checks import Step


def steps(profile: ToypsaProfile, client: ToypsaClient) -> Iterator[Step]:
    """Whether the login works."""

    async def login() -> str:
        await client.rows("projects", Project, limit=1)
        return f"the account gives tokens to {profile.name}"

    fix = "compare client_id and client_secret with the account's"
    yield Step("login", "token", login, fix, needed=True)
