"""tests of webhooks: a database of the test's own, and instances of the toys."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.problems import VendorRejected
from contracts.system.instance import InstanceReport
from kit import clock
from kit.database import Database
from kit.http import LOGIN_FAILED, Limits, Outbound
from kit.privacy import DerivedKeys
from kit.secret_store import SecretStore
from kit.secrets import Secret
from system_apis.app import Instance
from system_apis.connector import (
    ChangeSource,
    Connector,
    CursorStore,
    Profile,
    Receive,
    WebhookReceiver,
)
from system_apis.connector.polling import poll_repeatedly
from tests.kit.http.stand import Stand, open_stand
from tests.support.databases import keyed


@dataclass
class Opened:
    """An open instance of a toy."""

    webhook: WebhookReceiver | None
    changes: tuple[ChangeSource, ...] = ()
    capabilities: Mapping[str, Any] = field(default_factory=dict)

    async def check(self) -> InstanceReport:
        return InstanceReport("toy", "toy", "test", ())


class RefusedPoll:
    """Polls whose login is refused some times, the last time until it may go on."""

    name = "toy.poll"

    def __init__(self, failures: int) -> None:
        self._failures = failures
        self.refused, self.may_go_on, self._polled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def begin(self, cursor: CursorStore) -> None: ...

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        del receive, cursor
        await poll_repeatedly(self.name, self._poll, stop, itertools.repeat(0.01))

    async def look(self) -> None:
        """Until the next poll that went well."""
        self._polled.clear()
        await asyncio.wait_for(self._polled.wait(), 20)

    async def _poll(self) -> None:
        self._failures -= 1
        if self._failures >= 0:
            raise VendorRejected(
                "toy-main refused our login", instance="toy-main", extra={LOGIN_FAILED: True}
            )
        self.refused.set()
        await asyncio.wait_for(self.may_go_on.wait(), 20)
        self._polled.set()


class CountedPoll:
    """Polls once, and then only when it is asked to."""

    name = "toy.poll"

    def __init__(self) -> None:
        self.polls = 0
        self._polled = asyncio.Condition()

    async def begin(self, cursor: CursorStore) -> None: ...

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        del receive, cursor
        await poll_repeatedly(self.name, self._poll, stop, itertools.repeat(3600.0))

    async def until(self, polls: int) -> None:
        async with asyncio.timeout(20), self._polled:
            await self._polled.wait_for(lambda: self.polls >= polls)

    async def within(self, polls: int, seconds: float) -> None:
        """Wait for so many polls, but not for ever."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.until(polls)

    async def _poll(self) -> None:
        async with self._polled:
            self.polls += 1
            self._polled.notify_all()


def instance(name: str, opened: Any, vendor: str = "toy", **more: Any) -> Instance:
    """An instance of a vendor that no folder has."""

    @asynccontextmanager
    async def no_opening(*_: Any) -> AsyncIterator[Any]:
        yield opened

    connector = Connector(vendor, vendor, ("erp",), Profile, no_opening, lambda _, given: given, **more)
    return Instance(
        Profile(name=name, vendor=vendor, environment="test", capabilities=("erp",)), connector, opened
    )


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = keyed(fresh_database_url)
    yield database
    await database.close()


@pytest.fixture
async def other_database(fresh_database_url: str) -> AsyncIterator[Database]:
    """As another process would hold it."""
    database = Database(fresh_database_url)
    yield database
    await database.close()


@pytest.fixture
def secrets(database: Database) -> SecretStore:
    return SecretStore(database, DerivedKeys(Secret("m" * 64)))


@pytest.fixture
async def vendor() -> AsyncIterator[Stand]:
    async with open_stand() as stand:
        yield stand


@pytest.fixture
async def outbound(vendor: Stand) -> AsyncIterator[Outbound]:
    limits = Limits(backoff_seconds=0.001, timeout_seconds=5, attempts=1)
    async with Outbound(instance="toy-main", base_url=vendor.url, limits=limits) as opened:
        yield opened


@pytest.fixture
def real_clock() -> Iterator[Callable[[float], None]]:
    """Moves the deployment's clock; it is right again afterwards."""
    yield clock.advance
    clock.real()
