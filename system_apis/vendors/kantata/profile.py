"""system_apis: the profile of one Kantata OX account: where it is, how to log in, its names. Pure data."""

from collections.abc import Iterator
from typing import Annotated, get_args

from msgspec import Meta

from contracts.canonical.project import ProjectStatus
from system_apis.connector.profile import Connection, Polling, SecretRef, Table
from system_apis.connector.psa import PsaProfile


class KantataConnection(Connection, frozen=True, kw_only=True):
    """The account's address and our login there.

    `service_name` is ours in the external references that mark what we created; never change it afterwards.
    `account_id` is the account that the token must belong to (empty: not checked).
    `throttled_seconds` is how long to wait after a 429, which comes without Retry-After.
    `settle_seconds` is how long a request without an answer may still take effect: the vendor cuts at 180.
    """

    token: SecretRef
    base_url: str = "https://api.mavenlink.com/api/v1"
    app_url: str = "https://app.mavenlink.com"
    service_name: Annotated[str, Meta(pattern=r"^[a-z0-9_\-]{1,40}$")] = "enfilade"
    account_id: str = ""
    throttled_seconds: Annotated[float, Meta(ge=0)] = 5.0
    settle_seconds: Annotated[float, Meta(ge=0)] = 185.0


class Changes(Table, frozen=True, kw_only=True):
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

    @property
    def polls(self) -> tuple[Polling, Polling]:
        """That of the feed, and that of the projects."""
        feed = Polling(poll_seconds=self.feed_seconds, overlap_seconds=self.feed_overlap_seconds)
        return feed, Polling(poll_seconds=self.poll_seconds, overlap_seconds=self.poll_overlap_seconds)


class Stages(Table, frozen=True, kw_only=True):
    """The account's status keys by our status; the first of each is what we write.

    `otherwise` is what a project in any other status of the account counts as; without it such a project is
    refused by its status' name.
    """

    planned: tuple[int, ...]
    active: tuple[int, ...]
    closed: tuple[int, ...]
    cancelled: tuple[int, ...]
    otherwise: ProjectStatus | None = None

    @property
    def keys(self) -> dict[int, ProjectStatus]:
        """Our status by the account's key."""
        return {key: status for status in get_args(ProjectStatus) for key in getattr(self, status)}

    def faults(self) -> Iterator[str]:
        stages = [getattr(self, status) for status in get_args(ProjectStatus)]
        if not all(stages):
            yield "[stages] needs at least one status key for planned, active, closed and cancelled"
        if sum(map(len, stages)) != len(self.keys):
            yield "[stages] names a status key twice"


class Defaults(Table, frozen=True, kw_only=True):
    """The values for what a draft leaves out; `access_level` is who may open a project."""

    access_level: Annotated[str, Meta(pattern=r"^(invitation|open|admin)$")] = "invitation"


class KantataProfile(PsaProfile, frozen=True, kw_only=True):
    """`instances/<name>.toml` of a Kantata OX account."""

    connection: KantataConnection
    stages: Stages
    changes: Changes = Changes()
    defaults: Defaults = Defaults()

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        yield from self.stages.faults()
