"""tests of NetSuite's room: changes are noticed by poll and by push, once, and our own are known for ours."""

import asyncio
import datetime as dt
import hashlib
import hmac
import time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from contracts.events.kinds import RecordChanged
from contracts.problems import BadRequest, ContractViolation, InvalidToken, Problem
from kit.cache import Cache
from kit.secrets import Secret
from system_apis.connector import OpenInstance, WebhookRequest
from system_apis.connector.local_time import Place, instant_of
from system_apis.connector.own_writes import OwnWrites
from system_apis.vendors.netsuite.profile import NetSuiteChanges, NetSuiteProfile
from system_apis.vendors.netsuite.webhooks import Push
from tests.kit.http.stand import open_stand
from tests.support.instances import Open, own_account
from tests.support.sandboxes import Account, Sandbox
from tests.system_apis.netsuite.conftest import changed
from tests.system_apis.netsuite.drafts import globex, platform


class Inbox:
    """Takes what is received, as the inbox does: each dedupe id once."""

    def __init__(self) -> None:
        self.seen: dict[str, RecordChanged] = {}
        self.keys: list[str] = []
        self.kinds: list[str] = []

    async def receive(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        assert occurred_at == change.changed_at
        if dedupe_id in self.seen:
            return False
        self.seen[dedupe_id] = change
        self.keys.append(key)
        self.kinds.append(type)
        return True

    @property
    def changes(self) -> list[tuple[str, str, bool]]:
        return [(change.object, change.id, change.by_us) for change in self.seen.values()]


class Cursors:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self.values.get(name)

    async def set(self, name: str, value: str) -> None:
        self.values[name] = value


@pytest.fixture
async def opened(open_netsuite: Open, cache: Cache, profile: NetSuiteProfile) -> OpenInstance:
    await cache.client.flushdb()
    quick = changed(profile, changes=NetSuiteChanges(poll_seconds=0.01, page_size=2))
    return await open_netsuite(quick, cache=cache)


async def test_poll(opened: OpenInstance, account: Account, open_netsuite: Open, cache: Cache) -> None:
    """People's changes and ours are told once each, ours as echoes, also by another process."""
    (poll,) = opened.changes
    inbox, cursors = Inbox(), Cursors()
    await poll.look(inbox.receive, cursors)
    made = await opened.capabilities["erp"].put_customer("enf-cus-1", globex())
    contract = await opened.capabilities["erp"].put_contract("enf-con-1", platform(made.id))
    hand = await account.create("customer", companyName="By Hand Ltd", subsidiary={"id": "2"})
    await poll.look(inbox.receive, cursors)
    before = dict(inbox.seen)
    await poll.look(inbox.receive, cursors)
    assert inbox.seen == before
    found = inbox.changes
    assert ("customer", made.id, True) in found
    assert ("contract", contract.id, True) in found
    assert ("customer", hand["id"], False) in found
    assert f"netsuite-main:customer:{hand['id']}" in inbox.keys
    again = Inbox()
    (fresh,) = (await open_netsuite(cache=cache)).changes
    await fresh.look(again.receive, cursors)
    assert set(again.seen) == set(before), "the overlap tells them again, under the same dedupe ids"
    assert again.changes == found or sorted(again.changes) == sorted(found)


async def test_poll_tells_nothing_from_before(opened: OpenInstance, account: Account) -> None:
    """What was there before we connected is not told, not by the overlap either; what comes just after is."""
    await account.freeze_clock(dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    before = await account.create("customer", companyName="Before Ltd", subsidiary={"id": "2"})
    (poll,) = opened.changes
    inbox, cursors = Inbox(), Cursors()
    await poll.begin(cursors)
    at_once = await account.create("customer", companyName="At once Ltd", subsidiary={"id": "2"})
    await poll.look(inbox.receive, cursors)
    assert inbox.changes == [("customer", at_once["id"], False)]
    await account.edit("customer", before["id"], companyName="In the same second Ltd")
    await poll.look(inbox.receive, cursors)
    assert inbox.changes[1:] == [("customer", before["id"], False)]
    await account.edit("customer", before["id"], companyName="Once more Ltd")
    await poll.look(inbox.receive, cursors)
    assert inbox.changes[2:] == [("customer", before["id"], False)]
    await account.advance_clock(1)
    await account.edit("customer", before["id"], companyName="After Ltd")
    await poll.look(inbox.receive, cursors)
    assert inbox.changes[3:] == [("customer", before["id"], False)]


@pytest.mark.parametrize("said", ["UTC", "own"])
@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Kolkata"])
async def test_zones(
    netsuite_sandbox: Sandbox, open_netsuite: Open, profile: NetSuiteProfile, zone: str, said: str
) -> None:
    """Whatever zone the integration user has, and whether or not the profile knows it: instants are UTC's."""
    async with own_account(netsuite_sandbox, time_zone=zone) as account:
        named = changed(profile, time_zone=zone if said == "own" else "UTC")
        opened = await open_netsuite(named, environ=account.env)
        (poll,) = opened.changes
        inbox, cursors = Inbox(), Cursors()
        await poll.look(inbox.receive, cursors)
        await account.advance_clock(5)
        made = await account.create("customer", companyName="By Hand Ltd", subsidiary={"id": "2"})
        await poll.look(inbox.receive, cursors)
        saved = dt.datetime.fromisoformat(made["lastModifiedDate"])
        assert [(one.id, one.changed_at) for one in inbox.seen.values()] == [(made["id"], saved)]
        listed = (await opened.capabilities["erp"].list_customers(updated_since=saved)).items
        assert [(one.id, one.updated_at) for one in listed] == [(made["id"], saved)]
        (finding,) = [one for one in (await opened.check()).findings if one.name == "time zone"]
        assert finding.ok == (named.time_zone == zone)
        assert f"the profile says {named.time_zone}" in finding.detail
        assert ("time_zone" in finding.fix) == (not finding.ok)


def test_a_clock_that_is_put_back() -> None:
    """Nothing that changes after an instant is left out where the clock is put back within the hour."""
    zone = ZoneInfo("America/New_York")
    begin = dt.datetime(2026, 11, 1, 5, 50, tzinfo=dt.UTC)  # 1:50, and 1:00 comes again at six
    for minutes in range(0, 180, 5):
        later = begin + dt.timedelta(minutes=minutes)
        wall = later.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        assert wall >= Place.at(begin, zone).changed
        assert instant_of(wall, zone) <= later


def test_a_zone_that_there_is_not(profile: NetSuiteProfile) -> None:
    """A profile with a zone of no such name is refused, with the name."""
    with pytest.raises(msgspec.ValidationError, match="Mars/Base"):
        msgspec.convert({**msgspec.to_builtins(profile), "time_zone": "Mars/Base"}, NetSuiteProfile)


async def test_poll_of_an_account_that_ignores_our_place(opened: OpenInstance, account: Account) -> None:
    """The same page again and again is a contract violation, and no endless loop."""
    (poll,) = opened.changes
    cursors = Cursors()
    await poll.begin(cursors)
    rows = [{"id": str(n), "changed": "2030-01-01 00:00:00"} for n in (1, 2)]
    await account.add_fault(
        {"answer": {"status": 200, "body": {"items": rows}}}, method="POST", path="/suiteql", times=None
    )
    async with asyncio.timeout(20):
        with pytest.raises(ContractViolation, match="same page"):
            await poll.look(Inbox().receive, cursors)


async def test_poll_late_row(opened: OpenInstance, account: Account) -> None:
    """A record that becomes visible late, with an earlier instant, is still found within the overlap."""
    (poll,) = opened.changes
    inbox, cursors = Inbox(), Cursors()
    await poll.begin(cursors)
    await account.advance_clock(400)
    newest = await account.create("customer", companyName="Newest", subsidiary={"id": "2"})
    await poll.look(inbox.receive, cursors)
    late = dt.datetime.fromisoformat(newest["lastModifiedDate"]) - dt.timedelta(seconds=300)
    stamp = late.strftime("%Y-%m-%dT%H:%M:%SZ")
    row = {**newest, "id": "777", "lastModifiedDate": stamp, "externalId": None}
    await account.seed({"customer": [row]})
    await poll.look(inbox.receive, cursors)
    assert ("customer", "777", False) in inbox.changes


async def test_poll_failing_half_way(opened: OpenInstance, account: Account) -> None:
    """A poll that dies between pages goes on where it was: nothing is lost."""
    (poll,) = opened.changes
    inbox, cursors = Inbox(), Cursors()
    await poll.look(inbox.receive, cursors)
    made = [
        (await account.create("customer", companyName=f"Firm {n}", subsidiary={"id": "2"}))["id"]
        for n in range(5)
    ]
    await account.add_fault({"status": 400, "when": "before"}, path="/suiteql", skip=1)
    with pytest.raises(Problem):
        await poll.look(inbox.receive, cursors)
    await poll.look(inbox.receive, cursors)
    assert {ident for _, ident, _ in inbox.changes} >= set(made)


async def test_poll_until_stopped(opened: OpenInstance, account: Account) -> None:
    """The poll goes on looking until it is told to stop."""
    (poll,) = opened.changes
    inbox, stop = Inbox(), asyncio.Event()
    running = asyncio.create_task(poll.run(inbox.receive, Cursors(), stop))
    while (await account.count_calls(path="/suiteql"))["count"] < 6:  # noqa: ASYNC110 - the vendor's log has no bell
        await asyncio.sleep(0.01)
    stop.set()
    await asyncio.wait_for(running, 5)


NOW = 1_800_000_000


def body(**more: Any) -> bytes:
    return msgspec.json.encode(
        {
            "eventId": "e-1",
            "recordType": "salesOrder",
            "internalId": "1001",
            "externalId": "enf-con-1",
            "action": "edit",
            "lastModified": "2026-03-01T10:00:00Z",
            **more,
        }
    )


def signed(content: bytes, *, at: int = NOW, secret: str = "s3cret") -> dict[str, str]:  # noqa: S107
    digest = hmac.new(secret.encode(), f"{at}.".encode() + content, hashlib.sha256).hexdigest()
    return {"x-ns-event-id": "e-1", "x-ns-timestamp": str(at), "x-ns-signature": f"sha256={digest}"}


def called(headers: dict[str, str], content: bytes) -> WebhookRequest:
    return WebhookRequest("POST", "https://enfilade.example/hooks/netsuite-main", headers, content)


@pytest.fixture
def push() -> Push:
    return Push(
        "netsuite-main", Secret("s3cret"), OwnWrites("netsuite-main", None), skew_seconds=300, now=lambda: NOW
    )


async def test_push(push: Push) -> None:
    """A signed push is one delivery, and its replay the same one."""
    (first,) = (await push.receive(called(signed(body()), body()))).deliveries
    (again,) = (await push.receive(called(signed(body(), at=NOW + 100), body()))).deliveries
    assert first == again
    assert first.dedupe_id == "push:e-1"
    assert first.key == "netsuite-main:contract:1001"
    assert (first.change.object, first.change.id, first.change.version) == (
        "contract",
        "1001",
        "2026-03-01T10:00:00Z",
    )


async def test_forged_pushes(push: Push) -> None:
    """Unsigned, wrongly signed, changed, renamed, stale and future pushes are refused."""
    good = signed(body())
    for headers, content in (
        ({}, body()),
        ({**good, "x-ns-signature": "sha256=é"}, body()),
        (signed(body(), secret="other"), body()),
        (good, body(action="delete")),
        ({**good, "x-ns-event-id": "e-2"}, body()),
        ({**good, "x-ns-timestamp": str(NOW + 1)}, body()),
        (signed(body(), at=NOW - 301), body()),
        (signed(body(), at=NOW + 301), body()),
    ):
        with pytest.raises(InvalidToken):
            await push.receive(called(headers, content))


async def test_odd_pushes(push: Push) -> None:
    """A signed push that is unreadable is a bad request; one of another record type concerns nobody."""
    with pytest.raises(BadRequest):
        await push.receive(called(signed(b"{"), b"{"))
    other = body(recordType="invoice")
    assert (await push.receive(called(signed(other), other))).deliveries == ()


async def test_pushes_as_the_vendor_sends_them(
    netsuite_sandbox: Sandbox, open_netsuite: Open, profile: NetSuiteProfile
) -> None:
    """What the script at the account posts is verified, ours for an echo and a person's for a change."""
    async with open_stand() as stand:
        account = await netsuite_sandbox.create_account(push_url=f"{stand.url}/hooks/netsuite-main")
        opened = await open_netsuite(profile, environ=account.env)
        made = await opened.capabilities["erp"].put_customer("enf-cus-1", globex())
        hand = await account.create("customer", companyName="By Hand Ltd", subsidiary={"id": "2"})
        await asyncio.wait_for(stand.seen(2), 10)
        assert opened.webhook
        calls = [called(asked.headers, asked.body) for asked in stand.asked]
        found = [(await opened.webhook.receive(call)).deliveries[0].change for call in calls]
        assert {(change.id, change.by_us) for change in found} >= {(made.id, True), (hand["id"], False)}
        await account.remove()


async def test_a_push_of_our_own_write(opened: OpenInstance, account: Account) -> None:
    """The stand-in's own signature is good, and the push that our write causes is known for an echo."""
    made = await opened.capabilities["erp"].put_customer("enf-cus-1", globex())
    content = body(
        recordType="customer", internalId=made.id, lastModified=made.updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    )
    assert opened.webhook
    headers = signed(content, at=int(time.time()), secret=account.credentials["push_secret"])
    (delivery,) = (await opened.webhook.receive(called(headers, content))).deliveries
    assert delivery.change.by_us
