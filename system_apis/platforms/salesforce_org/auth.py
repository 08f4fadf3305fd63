"""system_apis: our login at a Salesforce org, and its answer: the org's address and our identity."""

from collections.abc import Mapping

import msgspec

from contracts.problems import ContractViolation
from kit.http import ClientCredentials, Grant, JwtBearer
from kit.secrets import literal, resolve
from system_apis.platforms.salesforce_org.connection import OrgConnection

_TOKEN_PATH = "/services/oauth2/token"  # noqa: S105 - a path


class Identity(msgspec.Struct, frozen=True):
    """Where the org answers, and the org's and our user's ids there."""

    instance_url: str
    organization_id: str
    user_id: str
    access_token: str

    def __repr__(self) -> str:
        return f"Identity({self.instance_url}, {self.organization_id}, {self.user_id})"


class Session:
    """The login of one instance, shared by its REST calls and its event stream.

    Salesforce does not send a token's expiry: a refusal shows that it has expired.
    """

    def __init__(self, instance: str, connection: OrgConnection, environ: Mapping[str, str]) -> None:
        self._instance = instance
        self.grant = _grant(connection, environ)

    async def identity(self) -> Identity:
        """The identity of the present token; `instance_url` may differ after each login."""
        token = await self.grant.token()
        *_, organization, user = ["", "", *str(token.get("id", "")).split("/")]
        url = str(token.get("instance_url", "")).rstrip("/")
        if not (url.startswith(("https://", "http://")) and organization and user):
            raise ContractViolation(
                f"{self._instance} granted a token without its org", instance=self._instance
            )
        return Identity(url, organization, user, str(token["access_token"]))

    async def renew(self, used: Identity) -> None:
        """Log in again, unless another task has done so since that identity was read."""
        await self.grant.renew({"Authorization": f"Bearer {used.access_token}"})


def _grant(connection: OrgConnection, environ: Mapping[str, str]) -> Grant:
    token_url = literal(connection.login_url, environ).rstrip("/") + _TOKEN_PATH
    client_id = literal(connection.client_id, environ)
    if connection.flow == "jwt_bearer":
        return JwtBearer(
            token_url,
            issuer=client_id,
            subject=literal(connection.username, environ),
            audience=literal(connection.audience, environ),
            key=resolve(connection.private_key, environ),
        )
    return ClientCredentials(
        token_url,
        client_id,
        resolve(connection.client_secret, environ),
        style="basic" if connection.credentials_in == "header" else "body",
    )
