"""system_apis: compares a Toy ERP account with its profile."""

from collections.abc import Iterator

from system_apis.vendors.toyerp.client import ToyerpClient
from system_apis.vendors.toyerp.profile import ToyerpProfile
from system_apis.vendors.toyerp.records import Customer

from system_apis.connector.checks import Step


def steps(profile: ToyerpProfile, client: ToyerpClient) -> Iterator[Step]:
    """Whether the login works."""

    async def login() -> str:
        await client.rows("customers", Customer, limit=1)
        return f"the account gives tokens to {profile.name}"

    fix = "compare client_id and client_secret with the account's"
    yield Step("login", "token", login, fix, needed=True)
