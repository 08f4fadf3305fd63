"""The lifecycle of each API version, and how the gateway enforces and announces it."""

import datetime as dt
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from email.utils import format_datetime
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.operation import Api, Deprecation
from contracts.problems import Forbidden, Gone, Problem
from gateway.exchange import Header
from gateway.plans import Consumer
from kit import clock
from kit.settings import SettingsError
from kit.telemetry import log

ACTIVE_DAYS = 30
_log = log(__name__)
Slug = Annotated[str, Meta(pattern=r"^(system|process|experience|gateway)/[a-z0-9\-]+@[0-9]+$")]

ActiveConsumers = Callable[[str, int], Awaitable[Collection[str]]]
"""The consumers that called an API (by its slug) within so many days."""


class VersionWaiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Permits a consumer to call a retired version until a day, for a reason."""

    consumer: str
    reason: Annotated[str, Meta(min_length=1)]
    expires: dt.date


class ApiLifecycle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a version since a day, its owner and its successor.

    A deprecated version is served until `sunset`; a retired one only to consumers with a waiver. A draft is
    open to the consumers in `trial` only.
    """

    state: Literal["draft", "published", "deprecated", "retired"]
    owner: Annotated[str, Meta(min_length=1)]
    since: dt.date
    sunset: dt.date | None = None
    successor: Slug | None = None
    trial: tuple[str, ...] = ()
    waivers: tuple[VersionWaiver, ...] = ()

    def __post_init__(self) -> None:
        if (self.state in ("deprecated", "retired")) != (self.sunset is not None):
            raise ValueError("a deprecated or retired version has a sunset, and no other has")
        if self.state == "deprecated" and self.sunset is not None and self.sunset < self.since:
            raise ValueError("the sunset is earlier than the deprecation")
        if self.trial and self.state != "draft":
            raise ValueError("trial is for drafts")
        if self.waivers and self.sunset is None:
            raise ValueError("waivers are for deprecated and retired versions")

    def waived(self, today: dt.date) -> set[str]:
        """The consumers that may still call the version once it is retired."""
        return {waiver.consumer for waiver in self.waivers if waiver.expires >= today}


ApiLifecycles = Mapping[Slug, ApiLifecycle]
NONE: ApiLifecycles = MappingProxyType({})


def gate_of(slug: str, lifecycles: ApiLifecycles) -> Callable[[str], None] | None:
    """A check that raises Forbidden or Gone for a consumer; None where every consumer is admitted."""
    lifecycle = lifecycles.get(slug)
    if lifecycle is None or lifecycle.state in ("published", "deprecated"):
        return None

    def gate(consumer: str) -> None:
        if lifecycle.state == "draft":
            if consumer not in lifecycle.trial:
                raise Forbidden(f"{slug} is a draft; ask {lifecycle.owner} for access")
        elif consumer not in lifecycle.waived(clock.now().date()):
            raise retired_problem(slug, lifecycle)

    return gate


def retired_problem(slug: str, lifecycle: ApiLifecycle) -> Gone:
    """The problem of a retired version, with a link to its successor."""
    if lifecycle.successor is None:
        return Gone(f"{slug} was retired", extra={"api": slug})
    address = address_of(lifecycle.successor)
    return Gone(
        f"{slug} was retired; its successor is {lifecycle.successor}",
        extra={"api": slug, "successor": address},
        headers={"Link": f'<{address}>; rel="successor-version"'},
    )


def retired(lifecycles: ApiLifecycles, apis: Iterable[Api]) -> Callable[[str], Problem | None]:
    """A lookup of the problem for a path whose API was retired; an API that is still mounted is left out."""
    mounted = {api.slug for api in apis}
    problems: dict[tuple[str, ...], Problem] = {
        _segments(slug): retired_problem(slug, one)
        for slug, one in lifecycles.items()
        if one.state == "retired" and slug not in mounted
    }

    def problem_at(path: str) -> Problem | None:
        segments = path.split("/")[1:]
        if segments[:1] == ["system"]:
            del segments[1:2]  # the instance
        return problems.get(tuple(segments[:3]))

    return problem_at


def _segments(slug: str) -> tuple[str, str, str]:
    name, _, major = slug.partition("@")
    tier, _, api = name.partition("/")
    return tier, api, f"v{major}"


def page_of(slug: str) -> str:
    """The page of a version in the catalogue."""
    return "/apis/" + "/".join(_segments(slug))


def address_of(slug: str) -> str:
    """The base path of a version; for a system API, which has one path per instance, its catalogue page."""
    return page_of(slug) if slug.startswith("system/") else "/" + "/".join(_segments(slug))


def deprecation_headers(slug: str, lifecycles: ApiLifecycles, operation: Deprecation | None) -> list[Header]:
    """The headers of a deprecated operation or version; none for any other."""
    if operation is not None:
        since, sunset = (dt.date.fromisoformat(day) for day in (operation.since, operation.sunset))
        return _headers(since, sunset, operation.successor, page_of(slug))
    lifecycle = lifecycles.get(slug)
    if lifecycle is None or lifecycle.sunset is None:
        return []
    since = lifecycle.since if lifecycle.state == "deprecated" else None
    successor = address_of(lifecycle.successor) if lifecycle.successor else ""
    return _headers(since, lifecycle.sunset, successor, page_of(slug))


def _headers(since: dt.date | None, sunset: dt.date, successor: str, page: str) -> list[Header]:
    """Deprecation (RFC 9745), Sunset (RFC 8594), and links to the successor and the catalogue page.

    Raises ValueError when the sunset is earlier than the deprecation.
    """
    if since is not None and sunset < since:
        raise ValueError("the sunset is earlier than the deprecation")
    links = [f'<{successor}>; rel="successor-version"'] if successor else []
    links += [f'<{page}>; rel="deprecation"; type="text/html"', f'<{page}>; rel="sunset"; type="text/html"']
    headers: list[Header] = [
        (b"sunset", format_datetime(_midnight(sunset), usegmt=True).encode()),
        (b"link", ", ".join(links).encode()),
    ]
    if since is not None:
        headers.insert(0, (b"deprecation", f"@{int(_midnight(since).timestamp())}".encode()))
    return headers


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def faults(lifecycles: ApiLifecycles, declared: Mapping[Api, Iterable[Deprecation]]) -> list[str]:
    """Every inconsistency as a sentence; `declared` are the APIs with their operations' deprecations."""
    faults = [f"{slug}: is missing in the versions" for slug in _slugs(declared) - lifecycles.keys()]
    faults += [
        f"{slug}: is {one.state}, and nothing declares it"
        for slug, one in lifecycles.items()
        if one.state != "retired" and slug not in _slugs(declared)
    ]
    for slug, one in lifecycles.items():
        after = lifecycles.get(one.successor) if one.successor else None
        if one.successor and (after is None or after.state in ("draft", "retired")):
            faults.append(f"{slug}: its successor {one.successor} is not published")
    for api, deprecations in declared.items():
        one = lifecycles.get(api.slug)
        faults += [
            f"{api.slug}: an operation is served until {each.sunset}, the version only until {one.sunset}"
            for each in deprecations
            if one and one.sunset and dt.date.fromisoformat(each.sunset) > one.sunset
        ]
    return sorted(faults)


def _slugs(declared: Mapping[Api, Iterable[Deprecation]]) -> set[str]:
    return {api.slug for api in declared}


def check_subscriptions(lifecycles: ApiLifecycles, consumers: Mapping[str, Consumer]) -> None:
    """Raise SettingsError with every configured subscription to a retired version without a waiver.

    Only the files count, not today's date: a deployment that started today must be able to restart tomorrow.
    """
    faults = [
        f"consumers.{name}.subscriptions.{slug}: was retired, and {name} has no waiver in the versions"
        for slug, one in sorted(lifecycles.items())
        if one.state == "retired"
        for name, consumer in consumers.items()
        if slug in consumer.subscriptions and name not in {waiver.consumer for waiver in one.waivers}
    ]
    if faults:
        raise SettingsError(faults)


def warn_of_dates(lifecycles: ApiLifecycles, consumers: Mapping[str, Consumer]) -> None:
    """Log which sunset has passed, and whose waiver has expired though it is subscribed by name."""
    today = clock.now().date()
    for slug, one in sorted(lifecycles.items()):
        if one.state == "deprecated" and one.sunset is not None and one.sunset < today:
            _log.warning("version served beyond its sunset", api=slug, sunset=str(one.sunset))
        expired = {waiver.consumer for waiver in one.waivers} - one.waived(today)
        for name in sorted(expired) if one.state == "retired" else ():
            if name in consumers and slug in consumers[name].subscriptions:
                _log.warning("waiver expired", api=slug, consumer=name)


async def refusals(lifecycles: ApiLifecycles, active: ActiveConsumers) -> list[str]:
    """Why versions may not be retired yet: each consumer that called within thirty days without a waiver."""
    today = clock.now().date()
    reasons = []
    for slug, one in sorted(lifecycles.items()):
        if one.sunset is None or (one.state == "deprecated" and one.sunset > today):
            continue
        callers = sorted(set(await active(slug, ACTIVE_DAYS)) - one.waived(today))
        reasons += [
            f"{slug}: {caller} called within {ACTIVE_DAYS} days and has no waiver" for caller in callers
        ]
        if one.state == "deprecated":
            reasons.append(f"{slug}: its sunset {one.sunset} has passed; retire it or extend its sunset")
    return reasons
