"""system_apis: the profile of one NetSuite account: its address, its login and its names."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from contracts.canonical import currencies
from system_apis.connector import Profile
from system_apis.vendors.netsuite.settings.maps import (
    Defaults,
    Fields,
    Ids,
    Maps,
    RequiredCustom,
    Schedules,
    Statuses,
)


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account's address and our login there; every text may be a reference, a secret must be one.

    `account` is the account's id as NetSuite shows it (``123456`` or ``123456_SB1``); hosts are derived from
    it unless `base_url` is set. `certificate_id` is what the mapping page shows for the certificate.
    """

    account: str
    client_id: str
    certificate_id: str
    private_key: str
    algorithm: Literal["ES256", "PS256"] = "ES256"
    base_url: str = ""
    push_secret: str = ""


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How changes are noticed: a poll that goes back `overlap_seconds`, and a signed push.

    The push is accepted where the connection has a `push_secret`; it may be `skew_seconds` old.
    """

    poll_seconds: Annotated[float, Meta(gt=0)] = 60.0
    overlap_seconds: Annotated[float, Meta(ge=0)] = 600.0
    page_size: Annotated[int, Meta(ge=1, le=1000)] = 500
    skew_seconds: Annotated[float, Meta(gt=0)] = 300.0


class NetSuiteProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instances/<name>.toml` of a NetSuite account.

    `time_zone` is the integration user's (Home > Set Preferences), by its IANA name: SuiteQL answers in it.
    Currencies (by ISO code) and terms (by name) that are not given here are read from the account once.
    """

    connection: Connection
    time_zone: str = "UTC"
    entities: Ids
    items: Ids
    tax_codes: Ids = msgspec.field(default_factory=dict)
    currencies: Ids = msgspec.field(default_factory=dict)
    terms: Ids = msgspec.field(default_factory=dict)
    changes: Changes = msgspec.field(default_factory=Changes)
    fields: Fields = msgspec.field(default_factory=Fields)
    statuses: Statuses = msgspec.field(default_factory=Statuses)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    billing_schedules: Schedules = msgspec.field(default_factory=Schedules)
    required_custom: RequiredCustom = msgspec.field(default_factory=RequiredCustom)

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"time_zone: no zone is named {self.time_zone!r} (as in Europe/London)"
            ) from None
        for code in self.currencies:
            if not currencies.is_code(code):
                raise ValueError(f"currencies.{code}: {code} is no currency of ISO 4217")

    def maps(self, ui_url: str) -> Maps:
        """The part that the mapping reads."""
        return Maps(
            instance=self.name,
            ui_url=ui_url,
            entities=self.entities,
            items=self.items,
            tax_codes=self.tax_codes,
            currencies=self.currencies,
            terms=self.terms,
            fields=self.fields,
            statuses=self.statuses,
            defaults=self.defaults,
            billing_schedules=self.billing_schedules,
            required_custom=self.required_custom,
            zone=ZoneInfo(self.time_zone),
        )
