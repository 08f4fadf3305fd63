"""system_apis: the profile of one Salesforce org: its address, its login and its names."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.canonical import currencies
from system_apis.connector import Profile
from system_apis.vendors.salesforce.settings.maps import Defaults, Fields, Maps, Picklists, RequiredCustom


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The org's address and our login there; every text may be a reference, a secret must be one.

    `login_url` is the org's My Domain (client credentials accept no other) or the vendor's login host, and
    `audience` the login host that a JWT names. `client_name` goes with every call and comes back in the
    change events that our own writes cause. `events_plaintext` is for a stand-in on this machine.
    """

    login_url: str
    client_id: str
    flow: Literal["jwt_bearer", "client_credentials"] = "jwt_bearer"
    username: str = ""
    audience: str = "https://login.salesforce.com"
    private_key: str = ""
    client_secret: str = ""
    credentials_in: Literal["body", "header"] = "body"
    api_version: Annotated[str, Meta(pattern=r"^[0-9]{2,3}\.0$")] = "66.0"
    client_name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_\-]{1,40}$")] = "enfilade"
    events_address: str = "api.pubsub.salesforce.com:7443"
    events_plaintext: bool = False


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How changes are noticed: the event stream, and a poll that reports what the stream lost.

    The poll goes back `overlap_seconds`, because a long transaction becomes visible late.
    """

    stream: bool = True
    poll_seconds: Annotated[float, Meta(gt=0)] = 60.0
    overlap_seconds: Annotated[float, Meta(ge=0)] = 120.0
    page_size: Annotated[int, Meta(ge=1, le=2000)] = 500


class SalesforceProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instances/<name>.toml` of a Salesforce org.

    `currency` only where the org has a single one. `opportunity_team`: Team Selling is switched on.
    `country_codes`: state and country picklists are switched on.
    """

    connection: Connection
    fields: Fields
    changes: Changes = msgspec.field(default_factory=Changes)
    currency: Annotated[str, Meta(pattern=r"^([A-Z]{3})?$")] = ""
    picklists: Picklists = msgspec.field(default_factory=Picklists)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    required_custom: RequiredCustom = msgspec.field(default_factory=RequiredCustom)
    opportunity_team: bool = False
    country_codes: bool = False

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self) -> list[str]:
        wanted = {"jwt_bearer": ("username", "private_key"), "client_credentials": ("client_secret",)}
        faults = [
            f"connection.{name} is needed for {self.connection.flow}"
            for name in wanted[self.connection.flow]
            if not getattr(self.connection, name)
        ]
        if self.connection.events_plaintext and self.environment == "production":
            faults.append("connection.events_plaintext would send a production token in the clear")
        if self.currency and not currencies.is_code(self.currency):
            faults.append(f"currency: {self.currency} is no currency of ISO 4217")
        return faults

    @property
    def maps(self) -> Maps:
        """The part that the mapping reads."""
        return Maps(
            instance=self.name,
            fields=self.fields,
            currency=self.currency,
            picklists=self.picklists,
            defaults=self.defaults,
            required_custom=self.required_custom,
            opportunity_team=self.opportunity_team,
            country_codes=self.country_codes,
        )
