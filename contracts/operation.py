"""How an interface method states its HTTP operation: data only, read by kit, the gateway and the tests.

An API is declared once, as a class decorated with `api` whose async methods are decorated with `operation`.
A parameter named in the path is a path parameter; one named ``body`` is the JSON body; one named
``if_match`` is the If-Match header; every other parameter is a query parameter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar, get_args

from contracts.canonical.objects import BusinessObject
from contracts.problems import Problem

Tier = Literal["system", "process", "experience", "gateway"]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Access = Literal["read", "write", "approve"]
Lane = Literal["interactive", "batch"]
IdempotencyClass = Literal["safe", "natural", "key"]
DataClass = Literal["public", "commercial", "financial", "personal"]
DATA_CLASSES: tuple[DataClass, ...] = get_args(DataClass)

_T = TypeVar("_T")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+\-]+")


@dataclass(frozen=True, slots=True)
class RowRule:
    """Which path, query or body field must equal which claim of the caller's token.

    A claim may name one row or several. A caller whose token lacks the claim is not restricted by the rule
    unless `required`. What no request names, the tier itself restricts where it reads (`kit.database.rows`).
    """

    source: Literal["path", "query", "body"]
    name: str
    claim: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Deprecation:
    """When an operation was deprecated and when it is removed (RFC 9745, RFC 8594), and its successor."""

    since: str
    sunset: str
    successor: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One HTTP operation of an interface.

    `roles`: who calls must have one of them, beside the scope; empty asks for none.
    `deadline` is in seconds; `idempotency` is *safe* for reads, *natural* where the request itself names
    its effect (a PUT under the caller's own key), *key* where the caller must send an Idempotency-Key.
    A read's answer may be cached for its caller for `cache_seconds` (zero: never), but not beyond a write
    to its API or an event of a type in `outdated_by` (none named: of any type).
    An operation that `streams` answers piece by piece in this media type (``text/event-stream``,
    ``text/csv``): its method returns an ``AsyncIterator[bytes]``, and `deadline` is until the first piece.
    `reads` is the business object of a system API whose record the operation reads by its id there.
    `any_of` are query parameters of which a request must give at least one.
    """

    method: Method
    path: str
    summary: str
    access: Access
    status: int = 200
    roles: tuple[str, ...] = ()
    rows: tuple[RowRule, ...] = ()
    idempotency: IdempotencyClass = "safe"
    precondition: bool = False
    cache_seconds: int = 0
    outdated_by: tuple[str, ...] = ()
    lane: Lane = "interactive"
    deadline: float = 10.0
    problems: tuple[type[Problem], ...] = ()
    deprecation: Deprecation | None = None
    links: tuple["Link", ...] = ()
    reads: BusinessObject | None = None
    streams: str = ""
    any_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.streams:
            return
        if not _MEDIA_TYPE.fullmatch(self.streams):
            raise ValueError(f"{self.streams!r} is no media type; write type/subtype")
        if self.idempotency == "key" or self.cache_seconds:
            raise ValueError("an answer that streams is neither stored under a key nor cached")


@dataclass(frozen=True, slots=True)
class Link:
    """An OpenAPI link: a field of the answer is a parameter of another operation of the same API."""

    operation: str
    parameter: str
    field: str


@dataclass(frozen=True, slots=True)
class Feature:
    """What an instance of a capability may lack; `without` describes to people what a flow then omits."""

    name: str
    without: str


@dataclass(frozen=True, slots=True)
class Api:
    """What an interface is: its tier, name and major version, and the audiences that may reach it.

    `data_classes` are what its answers hold: *personal* is about a person, *financial* about
    money, *commercial* whatever else is the firm's business, *public* what any caller may know. One that does
    not say may hold anything. `team` decides on what a system API's capability owns;
    `features` are those that not every instance of the capability has.
    """

    tier: Tier
    name: str
    version: int
    summary: str
    audiences: tuple[Literal["internal", "outside"], ...] = ("internal",)
    data_classes: tuple[DataClass, ...] = DATA_CLASSES
    tags: tuple[str, ...] = field(default=())
    team: str = "operations"
    features: tuple[Feature, ...] = ()

    @property
    def slug(self) -> str:
        """The API's name in full, for instance ``process/opportunity-to-project@1``."""
        return f"{self.tier}/{self.name}@{self.version}"

    @property
    def prefix(self) -> str:
        """The path under which the API stands.

        A system API stands under each of its instances; the gateway's own on the internal listener only.
        """
        if self.tier == "system":
            return f"/system/{{instance}}/{self.name}/v{self.version}"
        if self.tier == "gateway":
            return f"/admin/v{self.version}/{self.name}"
        return f"/{self.tier}/{self.name}/v{self.version}"

    def scope(self, access: Access) -> str:
        """The OAuth scope that an operation of this API asks for."""
        return f"{self.tier}.{self.name}.{access}"


def api(
    tier: Tier,
    name: str,
    *,
    version: int,
    summary: str,
    audiences: tuple[Literal["internal", "outside"], ...] = ("internal",),
    data_classes: tuple[DataClass, ...] = DATA_CLASSES,
    team: str = "operations",
    features: tuple[Feature, ...] = (),
) -> Callable[[type[_T]], type[_T]]:
    """Declare a class as an API."""
    stated = Api(
        tier=tier,
        name=name,
        version=version,
        summary=summary,
        audiences=audiences,
        data_classes=data_classes,
        team=team,
        features=features,
    )

    def mark(cls: type[_T]) -> type[_T]:
        cls.__api__ = stated  # pyright: ignore[reportAttributeAccessIssue]
        for method in vars(cls).values():
            if hasattr(method, "__operation__"):
                method.__interface__ = cls
        return cls

    return mark


def operation(
    method: Method,
    path: str,
    *,
    summary: str,
    access: Access | None = None,
    status: int = 200,
    roles: tuple[str, ...] = (),
    rows: tuple[RowRule, ...] = (),
    idempotency: IdempotencyClass | None = None,
    precondition: bool = False,
    cache_seconds: int = 0,
    outdated_by: tuple[str, ...] = (),
    lane: Lane = "interactive",
    deadline: float = 10.0,
    problems: tuple[type[Problem], ...] = (),
    deprecation: Deprecation | None = None,
    links: tuple[Link, ...] = (),
    streams: str = "",
    reads: BusinessObject | None = None,
    any_of: tuple[str, ...] = (),
) -> Callable[[_T], _T]:
    """Declare an async method as one HTTP operation; raises ValueError where options exclude each other."""
    read = method == "GET"
    stated = Operation(
        method=method,
        path=path,
        summary=summary,
        access=access or ("read" if read else "write"),
        status=status,
        roles=roles,
        rows=rows,
        idempotency=idempotency or ("safe" if read else "natural" if method in ("PUT", "DELETE") else "key"),
        precondition=precondition,
        cache_seconds=cache_seconds,
        outdated_by=outdated_by,
        lane=lane,
        deadline=deadline,
        problems=problems,
        deprecation=deprecation,
        links=links,
        streams=streams,
        reads=reads,
        any_of=any_of,
    )

    def mark(function: _T) -> _T:
        function.__operation__ = stated  # pyright: ignore[reportAttributeAccessIssue]
        return function

    return mark
