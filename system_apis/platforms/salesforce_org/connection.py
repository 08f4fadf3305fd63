"""system_apis: the parts of a profile that are about a Salesforce org. Pure."""

from collections.abc import Iterator
from typing import Annotated, Literal, Protocol

from msgspec import Meta

from system_apis.connector.profile import Connection, Environment, OptionalSecretRef, Polling


class OrgConnection(Connection, frozen=True, kw_only=True):
    """The org's address and our login there.

    `login_url` is the org's My Domain (client credentials accept no other) or the vendor's login host, and
    `audience` the login host that a JWT names. `client_name` goes with every call and comes back in the
    change events that our own writes cause. `events_plaintext` is for a stand-in on this machine.
    """

    login_url: str
    client_id: str
    flow: Literal["jwt_bearer", "client_credentials"] = "jwt_bearer"
    username: str = ""
    audience: str = "https://login.salesforce.com"
    private_key: OptionalSecretRef = ""
    client_secret: OptionalSecretRef = ""
    credentials_in: Literal["body", "header"] = "body"
    api_version: Annotated[str, Meta(pattern=r"^[0-9]{2,3}\.0$")] = "66.0"
    client_name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,40}$")] = "enfilade"
    events_address: str = "api.pubsub.salesforce.com:7443"
    events_plaintext: bool = False

    def faults(self, environment: Environment) -> Iterator[str]:
        yield from super().faults(environment)
        needs = {"jwt_bearer": ("username", "private_key"), "client_credentials": ("client_secret",)}
        for name in needs[self.flow]:
            if not getattr(self, name):
                yield f"connection.{name} is needed for {self.flow}"
        if self.events_plaintext and environment == "production":
            yield "connection.events_plaintext would send a production token in the clear"


class OrgChanges(Polling, frozen=True, kw_only=True):
    """How changes are noticed: the event stream, and a poll that reports what the stream lost."""

    stream: bool = True


class OrgProfile(Protocol):
    """The profile of an application in an org: these parts, and whatever the application adds."""

    @property
    def name(self) -> str: ...
    @property
    def environment(self) -> Environment: ...
    @property
    def time_zone(self) -> str: ...
    @property
    def connection(self) -> OrgConnection: ...
    @property
    def changes(self) -> OrgChanges: ...
