"""system_apis: the profile of an instance, as data: what all vendors' profiles share. Pure."""

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from contracts.canonical import currencies
from kit.http.limits import AllowanceLimits, Limits  # data, too

Environment = Literal["test", "production"]

SecretRef = Annotated[str, Meta(pattern=r"^(env|file):.")]
"""Where a secret is: a profile never holds the secret itself."""
OptionalSecretRef = Annotated[str, Meta(pattern=r"^((env|file):.+)?$")]

# A field's name is inserted into a vendor's query without quotes, so its shape is checked here.
FieldName = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
OptionalFieldName = Annotated[str, Meta(pattern=r"^([A-Za-z][A-Za-z0-9_]{0,79})?$")]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of a profile: an unknown name in it is refused."""


class Names(Table, frozen=True, kw_only=True):
    """Which of the account's fields holds what, by our name of it; an empty name: the account has none."""

    def named(self) -> dict[str, str]:
        """Our names with the account's, where it has one."""
        texts = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: field for name, field in texts.items() if isinstance(field, str) and field}


def _zone_faults(name: str) -> Iterator[str]:
    """A fault unless it is the IANA name of a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        yield f"time_zone: no zone is named {name!r} (as in Europe/London)"


class Connection(Table, frozen=True, kw_only=True):
    """An account's address and our login there; a text may be a reference, a secret must be one."""

    def faults(self, environment: Environment) -> Iterator[str]:
        """What does not fit together; a login is sent in the clear to a stand-in only."""
        for name in self.__struct_fields__:
            if environment == "production" and str(getattr(self, name)).startswith("http://"):
                yield f"connection.{name} would send a production login in the clear"


class Polling(Table, frozen=True, kw_only=True):
    """A poll of the last changes, which goes back `overlap_seconds` for what became visible late."""

    poll_seconds: Annotated[float, Meta(gt=0)] = 60.0
    overlap_seconds: Annotated[float, Meta(ge=0)] = 120.0
    page_size: Annotated[int, Meta(ge=1, le=2000)] = 500


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The common head of `instances/<name>.toml`; each vendor's profile inherits it and adds its tables.

    `data_region` is where the instance's data resides; `capabilities` are those that it serves, `lacks` their
    optional features that this account does not have; `owner` answers for the account and its credentials.
    `currency` is the account's own (its base, home or corporate currency): that of an amount whose record
    names none. `time_zone` is the zone, by its IANA name, of what it writes without one. Empty: not known.
    A vendor's profile has a `connection`, too. Instances that share one allowance of the vendor (an org, a
    tenant) give it the same name in `allowance` and have the same limits; `allowances` are the limits of
    those that the connector declares beside the general one.
    """

    name: str
    vendor: str
    environment: Environment
    data_region: str = ""
    owner: str = ""
    capabilities: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    currency: str = ""
    time_zone: str = ""
    limits: Limits = msgspec.field(default_factory=Limits)
    allowance: str = ""
    allowances: dict[str, AllowanceLimits] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if faults := list(self.faults()):
            raise ValueError("; ".join(faults))

    @property
    def zone(self) -> dt.tzinfo:
        """The account's time zone; UTC where the profile states none."""
        return ZoneInfo(self.time_zone or "UTC")

    def faults(self) -> Iterator[str]:
        """What does not fit together in the profile."""
        if self.currency and not currencies.is_code(self.currency):
            yield f"currency: {self.currency} is no currency of ISO 4217"
        if self.time_zone:
            yield from _zone_faults(self.time_zone)
        connection = getattr(self, "connection", None)
        if isinstance(connection, Connection):
            yield from connection.faults(self.environment)
