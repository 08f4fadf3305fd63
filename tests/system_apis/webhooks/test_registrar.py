"""tests of webhooks: our addresses are registered, renewed and removed at vendors, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from kit.database import Database
from kit.http import Outbound
from kit.secret_store import SecretStore
from system_apis.app import Instance
from system_apis.connector import Profile, WebhookAnswer, WebhookReceiver, WebhookRequest
from system_apis.connector.closed import closed_instance
from system_apis.connector.stored_webhooks import WebhookStore
from system_apis.intake import AddressedRequest, Intake, keep_registered
from system_apis.webhook_registrar import Configured, WebhookRegistrar
from tests.kit.http.stand import Stand
from tests.system_apis.webhooks.conftest import Opened, instance
from tests.system_apis.webhooks.toys import (
    LedgerReceiver,
    LedgerVendor,
    PeopleReceiver,
    PeopleVendor,
    our_address,
    people_headers,
)

DAY = 86_400.0


class House:
    """A deployment with one instance: its intake at a real address, and its registrar."""

    def __init__(self, database: Database, secrets: SecretStore, receiver: WebhookReceiver) -> None:
        self.opened = Opened(receiver)
        self.one = instance("toy-main", self.opened)
        self.intake = Intake({"toy-main": self.one}, database)
        self.store = WebhookStore(secrets)
        self.url = ""
        self.reopened: list[tuple[str, Mapping[str, Any]]] = []

    async def take(self, request: WebhookRequest) -> WebhookAnswer:
        return await self.intake.receive(AddressedRequest(request, "toy-main"))

    def registrar(
        self, *, configured: bool = True, url: str | None = None, closed: bool = False
    ) -> WebhookRegistrar:
        """As a process has it that has just started."""
        one = Configured(self.one.profile, None if closed else self.opened.webhook, is_open=not closed)
        found = {"toy-main": one} if configured else {}
        return WebhookRegistrar(found, self.store, self.url if url is None else url, self._reopen)

    @asynccontextmanager
    async def _reopen(self, vendor: str, profile: Mapping[str, Any]) -> AsyncIterator[Any]:
        self.reopened.append((vendor, profile))
        yield self.opened


@asynccontextmanager
async def open_house(
    database: Database, secrets: SecretStore, receiver: WebhookReceiver
) -> AsyncIterator[House]:
    house = House(database, secrets, receiver)
    async with our_address(house.take) as stand:
        house.url = stand.url
        yield house


@pytest.fixture
def ledger(vendor: Stand) -> LedgerVendor:
    return LedgerVendor(vendor)


@pytest.fixture
async def house(database: Database, secrets: SecretStore, outbound: Outbound) -> AsyncIterator[House]:
    receiver = LedgerReceiver(outbound, WebhookStore(secrets).secrets_of("toy-main"))
    async with open_house(database, secrets, receiver) as house:
        yield house


async def test_registered_once(house: House, ledger: LedgerVendor, database: Database) -> None:
    """The vendor shakes hands with us and then calls us with a secret that is ours, stored sealed."""
    await house.registrar().ensure()
    await house.registrar().ensure()
    (one,) = ledger.registered.values()
    assert one["notificationUrl"] == f"{house.url}/hooks/toy-main"
    assert [answer.status_code for answer in await ledger.notify()] == [200]
    one["clientState"] = "forged"
    assert [answer.status_code for answer in await ledger.notify()] == [401]
    stored = await house.store.read("toy-main", "")
    assert stored is not None
    async with database.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM enfilade.stored_secrets"))).all()
    assert stored.secrets[0] not in repr(rows)
    assert stored.secrets[0] not in repr(stored)


async def test_renewed_before_it_ends(
    house: House, ledger: LedgerVendor, real_clock: Callable[[float], None]
) -> None:
    """For ten days of three-day registrations there is always one, the same, and it is asked for in time."""
    registrar = house.registrar()
    await registrar.ensure()
    (first,) = ledger.registered
    for _ in range(10):
        real_clock(DAY)
        await registrar.ensure()
        assert [answer.status_code for answer in await ledger.notify()] == [200]
    assert list(ledger.registered) == [first]
    assert ledger.handshakes == 6


async def test_what_the_vendor_has_deleted(
    house: House, ledger: LedgerVendor, real_clock: Callable[[float], None]
) -> None:
    """A registration that the vendor gave up, or that ended while we were down, is made anew."""
    registrar = house.registrar()
    await registrar.ensure()
    ledger.registered.clear()
    real_clock(3601)
    await registrar.ensure()
    assert len(ledger.registered) == 1
    real_clock(5 * DAY)
    await house.registrar().ensure()
    assert len(ledger.registered) == 1
    assert [answer.status_code for answer in await ledger.notify()] == [200]


async def test_an_end_between_the_vendors_answer_and_ours(house: House, ledger: LedgerVendor) -> None:
    """What an earlier attempt left at the vendor, under a secret nobody has, is removed first."""
    ledger.die_after_creation = True
    await house.registrar().ensure()
    (left,) = ledger.registered.values()
    stored = await house.store.read("toy-main", "")
    assert stored is not None
    assert stored.status == "pending"
    assert [answer.status_code for answer in await ledger.notify()] == [200], "it may call at once"
    ledger.die_after_creation = False
    await house.registrar().ensure()
    (one,) = ledger.registered.values()
    assert one["clientState"] != left["clientState"]
    assert [answer.status_code for answer in await ledger.notify()] == [200]


async def test_another_public_address(house: House, ledger: LedgerVendor) -> None:
    """When our address changes, the old one is removed at the vendor and the new one registered."""
    await house.registrar().ensure()
    await house.registrar(url=house.url.replace("127.0.0.1", "localhost")).ensure()
    (one,) = ledger.registered.values()
    assert "localhost" in one["notificationUrl"]


async def test_without_a_public_address(house: House, ledger: LedgerVendor) -> None:
    """Where no public address is set, nothing is registered and nothing removed."""
    await house.registrar().ensure()
    await house.registrar(configured=False, url="").ensure()
    assert len(ledger.registered) == 1


async def test_an_instance_that_leaves(house: House, ledger: LedgerVendor) -> None:
    """It is removed at the vendor with the profile that it had; one that is only closed keeps its own."""
    await house.registrar().ensure()
    await house.registrar(closed=True).ensure()
    assert len(ledger.registered) == 1
    await house.registrar(configured=False).ensure()
    assert ledger.registered == {}
    ((vendor, profile),) = house.reopened
    assert (vendor, msgspec.convert(profile, Profile)) == ("toy", house.one.profile)
    assert await house.store.all() == []


async def test_removed_by_a_person(house: House, ledger: LedgerVendor) -> None:
    """What was switched off stays off until it is switched on again."""
    registrar = house.registrar()
    await registrar.ensure()
    (stored,) = await house.store.all()
    await registrar.switch_off(stored)
    await registrar.ensure()
    assert ledger.registered == {}
    (stored,) = await house.store.all()
    await registrar.switch_on(stored)
    await registrar.ensure()
    assert len(ledger.registered) == 1


async def test_a_secret_that_is_shown_once(
    database: Database, secrets: SecretStore, vendor: Stand, outbound: Outbound
) -> None:
    """A secret that the vendor makes is stored, verifies its calls, and one that was lost is replaced."""
    people = PeopleVendor(vendor)
    receiver = PeopleReceiver("toy-main", outbound, WebhookStore(secrets).secrets_of("toy-main", "people"))
    async with open_house(database, secrets, receiver) as house:
        people.registered["9"] = {
            "id": "9",
            "url": f"{house.url}/hooks/toy-main/people",
            "privateKey": "lost",
        }
        await house.registrar().ensure()
        ((ident, one),) = people.registered.items()
        assert ident == "1"
        assert one["url"] == f"{house.url}/hooks/toy-main/people"
        body = b'["7"]'
        request = WebhookRequest("POST", one["url"], people_headers(body, one["privateKey"]), body, "people")
        assert (await house.take(request)).status == 202


async def test_one_process_at_a_time(
    house: House, ledger: LedgerVendor, database: Database, other_database: Database
) -> None:
    """Of two processes that start together one registers, and the other, after the first, nothing."""
    stops = [asyncio.Event(), asyncio.Event()]
    first, second = (
        asyncio.create_task(keep_registered(house.registrar(), each, stop))
        for each, stop in zip((database, other_database), stops, strict=True)
    )
    async with asyncio.timeout(20):
        await ledger.stand.seen(2)  # looked up and registered
    assert ledger.handshakes == 1
    stops[0].set()
    stops[1].set()
    await asyncio.gather(first, second)
    assert (ledger.handshakes, len(ledger.registered)) == (1, 1)


async def test_a_vendor_that_is_down(house: House, ledger: LedgerVendor) -> None:
    """A vendor that fails is told in the log and tried again; the others are looked after."""
    original = ledger.answer

    async def down(_: Any) -> Any:
        raise ConnectionError

    ledger.stand.answer = down
    await house.registrar().ensure()
    assert ledger.registered == {}
    ledger.stand.answer = original
    await house.registrar().ensure()
    assert len(ledger.registered) == 1


def test_closed_instances_are_known_as_such() -> None:
    """An instance that cannot be opened has a receiver that refuses."""
    one = instance("toy-main", Opened(None))
    shut = Instance(one.profile, one.connector, closed_instance(one.profile, ["no secret"]))
    assert shut.opened.webhook is not None
    assert shut.opened.webhook.serves("any")
