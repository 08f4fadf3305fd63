"""system_apis: the profile of one Kantata OX account: where it is, how to log in, and how it names things."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from system_apis.connector import Profile
from system_apis.vendors.kantata.settings.maps import (
    Defaults,
    Fields,
    Maps,
    Picklists,
    RequiredCustom,
    Stages,
)


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account's address and our login there; every text may be a reference, the token must be one.

    `service_name` is ours in the external references that mark what we created; never change it afterwards.
    `account_id` is the account that the token must belong to (empty: not checked).
    `throttled_seconds` is how long to wait after a 429, which comes without Retry-After.
    `settle_seconds` is how long a request without an answer may still take effect: the vendor cuts at 180.
    """

    token: Annotated[str, Meta(pattern=r"^(env|file):")]
    base_url: str = "https://api.mavenlink.com/api/v1"
    app_url: str = "https://app.mavenlink.com"
    service_name: Annotated[str, Meta(pattern=r"^[a-z0-9_\-]{1,40}$")] = "enfilade"
    account_id: str = ""
    throttled_seconds: Annotated[float, Meta(ge=0)] = 5.0
    settle_seconds: Annotated[float, Meta(ge=0)] = 185.0


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How changes are noticed: the event feed (administrators only), and a poll over changed projects.

    The feed comes minutes late and out of order, so each poll goes back `feed_overlap_seconds`. A feed that
    was not read for `feed_horizon_days` has lost events (it retains nine): then all projects are reported.
    """

    feed: bool = True
    feed_seconds: Annotated[float, Meta(gt=0)] = 60.0
    feed_overlap_seconds: Annotated[float, Meta(ge=0)] = 900.0
    feed_horizon_days: Annotated[float, Meta(gt=0, le=9)] = 8.0
    poll_seconds: Annotated[float, Meta(gt=0)] = 900.0
    poll_overlap_seconds: Annotated[float, Meta(ge=0)] = 120.0


class KantataProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instances/<name>.toml` of a Kantata OX account."""

    connection: Connection
    stages: Stages
    fields: Fields = msgspec.field(default_factory=Fields)
    changes: Changes = msgspec.field(default_factory=Changes)
    picklists: Picklists = msgspec.field(default_factory=Picklists)
    defaults: Defaults = msgspec.field(default_factory=Defaults)
    required_custom: RequiredCustom = msgspec.field(default_factory=RequiredCustom)

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))

    def _faults(self) -> Iterator[str]:
        stages = (self.stages.planned, self.stages.active, self.stages.closed, self.stages.cancelled)
        if not all(stages):
            yield "[stages] needs at least one status key for planned, active, closed and cancelled"
        keys = [key for each in stages for key in each]
        if len(keys) != len(set(keys)):
            yield "[stages] names a status key twice"
        # A stand-in's token may be sent without TLS, a production token never.
        if self.environment == "production" and self.connection.base_url.startswith("http://"):
            yield "connection.base_url would send a production token in the clear"

    @property
    def maps(self) -> Maps:
        """The part that the mapping reads."""
        return Maps(
            instance=self.name,
            app_url=self.connection.app_url.rstrip("/"),
            service_name=self.connection.service_name,
            fields=self.fields,
            stages=self.stages,
            picklists=self.picklists,
            defaults=self.defaults,
            required_custom=self.required_custom,
        )
