"""tests of the intake: calls are verified, stored once, answered as the vendor wants, and wake the poll."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import text

from contracts.canonical.exception import BusinessException
from contracts.problems import InvalidToken, NotFound, VendorRejected, VendorUnavailable
from deploy.composition.carrier import Carrier
from deploy.settings import ServerSettings
from kit import exceptions
from kit.database import Database
from kit.delegation import delegation
from kit.exceptions.login import end_login_case, wait_for_login
from kit.http import Outbound
from kit.routes import answer_problem
from kit.secrets import Secret
from system_apis import app
from system_apis.app import Instance
from system_apis.connector import WebhookRequest
from system_apis.connector.closed import closed_instance
from system_apis.connector.stored_webhooks import Secrets
from system_apis.intake import AddressedRequest, Intake, route
from tests.system_apis.webhooks.conftest import CountedPoll, Opened, RefusedPoll, instance
from tests.system_apis.webhooks.toys import (
    HubReceiver,
    LedgerReceiver,
    PeopleReceiver,
    hub_headers,
    people_headers,
    portals,
)

SECRET = Secret("s")
HUB_URL = "https://enfilade.example/vendor-hooks/hub"


def known(*secrets: str) -> Secrets:
    async def read() -> tuple[Secret, ...]:
        return tuple(map(Secret, secrets))

    return read


async def stored(database: Database) -> list[tuple[str, str]]:
    async with database.connect() as connection:
        rows = await connection.execute(text("SELECT source, key FROM enfilade.inbox ORDER BY seq"))
        return [(row.source, row.key.rpartition(":")[2]) for row in rows]


async def test_a_handshake(database: Database, outbound: Outbound) -> None:
    """A validation token comes back as plain text, as it is, by GET and by POST; nothing is stored."""
    opened = Opened(LedgerReceiver(outbound, known("s")))
    intake = Intake({"toy-main": instance("toy-main", opened)}, database)
    for method in ("GET", "POST"):
        url = "https://enfilade.example/hooks/toy-main?validationToken=a%20b%26%2B%3Cx%3E"
        answer = await intake.receive(AddressedRequest(WebhookRequest(method, url), "toy-main"))
        assert (answer.status, answer.media_type, answer.body) == (
            200,
            "text/plain; charset=utf-8",
            b"a b&+<x>",
        )
    assert await stored(database) == []


async def test_addresses_of_an_instance(database: Database, outbound: Outbound) -> None:
    """An instance may have several addresses by name; at any other, and at another instance, is nobody."""
    intake = Intake(
        {"toy-main": instance("toy-main", Opened(PeopleReceiver("toy-main", outbound, known("s"))))}, database
    )
    body = msgspec.json.encode(["7", "8"])
    request = WebhookRequest(
        "POST", "https://x/hooks/toy-main/people", people_headers(body, "s"), body, "people"
    )
    for _ in range(2):
        await intake.receive(AddressedRequest(request, "toy-main"))
    assert await stored(database) == [("toy-main", "7"), ("toy-main", "8")], "a repetition stores nothing"
    for name, to in (("", "toy-main"), ("other", "toy-main"), ("people", "toy-other")):
        with pytest.raises(NotFound):
            await intake.receive(AddressedRequest(msgspec.structs.replace(request, name=name), to))


def hub(name: str, account: str, secret: Secret = SECRET) -> Instance:
    opened = Opened(HubReceiver(name, account, secret))
    return instance(name, opened, "hub", shared_webhook=portals)


def hub_call(*events: tuple[str, int]) -> AddressedRequest:
    body = msgspec.json.encode(
        [
            {"eventId": n, "portalId": int(portal), "objectId": ident}
            for n, (portal, ident) in enumerate(events)
        ]
    )
    headers = hub_headers("POST", HUB_URL, body, "s")
    return AddressedRequest(WebhookRequest("POST", HUB_URL, headers, body), vendor="hub")


async def test_one_address_for_several_instances(database: Database) -> None:
    """Each instance takes the events of its own account; those of strangers concern nobody."""
    instances = {name: hub(name, account) for name, account in (("hub-eu", "11"), ("hub-us", "22"))}
    intake = Intake({**instances, "toy-main": instance("toy-main", Opened(None))}, database)
    answer = await intake.receive(hub_call(("11", 1), ("22", 2), ("33", 3), ("11", 4)))
    assert answer.status == 204
    assert sorted(await stored(database)) == [("hub-eu", "1"), ("hub-eu", "4"), ("hub-us", "2")]
    for vendor in ("toy", "nobody"):
        with pytest.raises(NotFound):
            await intake.receive(msgspec.structs.replace(hub_call(("11", 1)), vendor=vendor))
    with pytest.raises(NotFound):
        await intake.receive(hub_call(("33", 3)))


async def test_a_forged_call_at_a_shared_address(database: Database) -> None:
    """Where one of the instances that are named does not believe a call, nothing of it is stored."""
    intake = Intake({"hub-eu": hub("hub-eu", "11"), "hub-us": hub("hub-us", "22", Secret("other"))}, database)
    with pytest.raises(InvalidToken):
        await intake.receive(hub_call(("11", 1), ("22", 2)))
    assert await stored(database) == []


async def test_a_closed_instance_at_a_shared_address(database: Database) -> None:
    """While an instance is not open, the vendor is asked to come again with what may be its own."""
    closed = hub("hub-us", "22")
    shut = Instance(closed.profile, closed.connector, closed_instance(closed.profile, ["no secret"]))
    intake = Intake({"hub-eu": hub("hub-eu", "11"), "hub-us": shut}, database)
    assert (await intake.receive(hub_call(("11", 1)))).status == 204
    with pytest.raises(VendorUnavailable):
        await intake.receive(hub_call(("11", 2), ("22", 3)))
    assert await stored(database) == [("hub-eu", "1")] or len(await stored(database)) == 2
    intake = Intake({"hub-eu": hub("hub-eu", "11"), "hub-us": closed}, database)
    await intake.receive(hub_call(("11", 2), ("22", 3)))
    assert ("hub-us", "3") in await stored(database)


async def test_from_the_gateway_of_another_process(database: Database, outbound: Outbound) -> None:
    """A call is handed over whole, and the vendor gets the answer or the problem of the system tier."""
    opened = Opened(LedgerReceiver(outbound, known("s")))
    intake = Intake({"toy-main": instance("toy-main", opened)}, database)
    app = Litestar([route(intake)], openapi_config=None, exception_handlers={Exception: answer_problem})
    settings = ServerSettings(database_url="", system_url="http://system")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:  # pyright: ignore[reportArgumentType]
        carrier = Carrier(settings, http, delegation(Secret("k" * 64), "gateway"))
        url = "https://x/hooks/toy-main?validationToken=%C3%A9"
        request = WebhookRequest("GET", url, {"authorization": "vendor's own"}, b"\xff\x00")
        answer = await carrier.hand_webhook(AddressedRequest(request, "toy-main"))
        assert (answer.status, answer.body.decode()) == (200, "é")
        with pytest.raises(NotFound):
            await carrier.hand_webhook(AddressedRequest(request, "nobody"))


@asynccontextmanager
async def working(intake: Intake) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(work()) for _, work in intake.work(stop)]  # pyright: ignore[reportArgumentType]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def test_a_poll_whose_login_fails_is_one_case(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it fails and though no run waits; the case ends when the login works again."""
    monkeypatch.setattr(app, "FIRST_PAUSE_SECONDS", 0.01)
    poll = RefusedPoll(failures=3)
    intake = Intake({"toy-main": instance("toy-main", Opened(None, (poll,)))}, database)
    async with working(intake):
        await asyncio.wait_for(poll.refused.wait(), 20)
        (case,) = await login_cases(database)
        assert (case.subject, case.owner, case.why) == (
            "toy-main",
            "operations",
            "toy-main refused our login.",
        )
        poll.may_go_on.set()
        while await login_cases(database):
            await poll.look()
    async with database.begin() as connection:
        assert len((await exceptions.find(connection, flow="login")).items) == 1
        problem = VendorRejected("toy-main refused our login", instance="toy-main")
        resume = exceptions.Resume(kind="inbox")
        await wait_for_login(connection, problem, waiter="w", resume=resume, correlation_id="cor_1")
        await end_login_case(connection, "toy-main")
    assert len(await login_cases(database)) == 1, "what waits for a case goes on by a person's replay"


async def login_cases(database: Database) -> tuple[BusinessException, ...]:
    """The open ones."""
    async with database.connect() as connection:
        return (await exceptions.find(connection, status="open", flow="login")).items


async def test_look_now(database: Database, other_database: Database, outbound: Outbound) -> None:
    """A call that says only that something changed is followed by a poll, whichever process received it."""
    poll = CountedPoll()
    opened = Opened(LedgerReceiver(outbound, known("old", "new")), (poll,))
    watching = Intake({"toy-main": instance("toy-main", opened)}, database)
    receiving = Intake({"toy-main": instance("toy-main", opened)}, other_database)
    body = b'{"value":[{"clientState":"new"}]}'
    call = AddressedRequest(WebhookRequest("POST", "https://x/hooks/toy-main", {}, body), "toy-main")
    forged = AddressedRequest(
        WebhookRequest("POST", "https://x/hooks/toy-main", {}, body.replace(b"new", b"no")), "toy-main"
    )
    async with working(watching):
        await poll.until(1)
        await watching.receive(call)
        await poll.until(2)
        with pytest.raises(InvalidToken):
            await receiving.receive(forged)
        while poll.polls < 3:  # its first look at what is stored finds what is new since
            await receiving.receive(call)
            await poll.within(3, seconds=1.5)
