"""system_apis: what a vendor calls: the request as the vendor sent it, and what comes of it."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, NoReturn, Protocol
from urllib.parse import parse_qsl

import msgspec

from contracts.events.kinds import RecordChanged


class Delivery(msgspec.Struct, frozen=True):
    """One change that a verified webhook brought; a replay gives the same `dedupe_id`."""

    dedupe_id: str
    type: str
    key: str
    change: RecordChanged
    occurred_at: dt.datetime


class WebhookRequest(msgspec.Struct, frozen=True):
    """A call at one of our addresses.

    `url` is the whole external address as the caller wrote it, with its query; the names of `headers` are
    lower case. `name` is which of the instance's addresses was called, empty for the plain one.
    """

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    name: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of one that is repeated the last."""
        return dict(parse_qsl(self.url.partition("?")[2], keep_blank_values=True))


class WebhookAnswer(msgspec.Struct, frozen=True):
    """What the vendor is answered; some want a token of theirs back, as text."""

    status: int = 202
    media_type: str = "application/json"
    body: bytes = b'{"received":true}'


class WebhookResult(msgspec.Struct, frozen=True):
    """What a webhook brought: changes, and whether the instance is to be polled now."""

    deliveries: tuple[Delivery, ...] = ()
    look_now: bool = False
    answer: WebhookAnswer = WebhookAnswer()


class Registration(msgspec.Struct, frozen=True):
    """One of our addresses as the vendor has registered it.

    `secret` is what the vendor hands out to verify its calls; empty where it uses ours.
    """

    id: str
    expires_at: dt.datetime | None = None
    secret: str = ""

    def __repr__(self) -> str:
        return f"Registration({self.id})"


class WebhookLifecycle(Protocol):
    """Registers the address of a `name` at the vendor; each operation raises the vendor's problems.

    `secret` is one of ours, for vendors that repeat it in each call (a client state). What was registered
    with it before is valid until another is.
    """

    @property
    def name(self) -> str: ...

    async def registered(self, address: str) -> tuple[Registration, ...]:
        """What the vendor has for an address of ours, its secrets left out."""
        ...

    async def register(self, address: str, secret: str) -> Registration: ...

    async def renew(self, registration: Registration, address: str, secret: str) -> Registration:
        """The registration with a later end; raises NotFound where the vendor has it no longer."""
        ...

    async def remove(self, registration: Registration) -> None:
        """Raises NotFound where there is none."""
        ...


class WebhookReceiver(ABC):
    """Reads what a vendor calls at `/hooks/{instance}`, and at `/hooks/{instance}/{name}` for further names.

    `account` is what identifies the instance in requests to an address that several instances share;
    `lifecycles` are the registrations that the deployment looks after itself.
    """

    names: ClassVar[tuple[str, ...]] = ("",)
    account: str = ""
    lifecycles: tuple[WebhookLifecycle, ...] = ()

    def serves(self, name: str) -> bool:
        """Whether there is an address of that name."""
        return name in self.names

    @abstractmethod
    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """What the request brought; raises InvalidToken when forged or stale, BadRequest when unreadable."""


class RefusingReceiver(WebhookReceiver):
    """Of an instance that is not open: the vendor is asked to retry."""

    def __init__(self, refuse: Callable[[], NoReturn]) -> None:
        self._refuse = refuse

    def serves(self, name: str) -> bool:
        del name
        return True

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        del request
        self._refuse()
