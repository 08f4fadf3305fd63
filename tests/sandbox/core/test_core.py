"""The shared core of the stand-ins, through a toy vendor and real HTTP."""

import asyncio
import ssl
from decimal import Decimal

import httpx
import pytest

from sandbox.core import server
from sandbox.core.server import PortInUse
from sandbox.core.wire import dumps, loads
from tests.sandbox.core.conftest import bench

NOTE = {"text": "hello"}


def texts(toy):
    return [note["text"] for note in toy.account.tables["note"].values()]


async def test_money_keeps_every_digit():
    """A Decimal goes out as a JSON number and comes back as the same Decimal."""
    assert dumps({"a": Decimal("180000.00")}) == b'{"a":180000.00}'
    assert loads(b'{"a":0.10}') == {"a": Decimal("0.10")}


async def test_a_call_is_logged_without_its_token(toy):
    """The log has the call, its request id and its principal, and nowhere the token."""
    await toy.wire.post("/notes", json=NOTE)
    calls = (await toy.control.get("/calls")).json()
    assert [(c["method"], c["path"], c["status"], c["auth"]) for c in calls] == [
        ("POST", "/notes", 201, "story")
    ]
    assert calls[0]["request_id"]
    assert toy.account.secret("token") not in str(calls)
    count = (await toy.control.get("/calls/count", params={"method": "POST"})).json()
    assert count == {"count": 1, "by": {"POST /notes": 1}, "max_in_flight": 1}


async def test_status_before_and_after_the_effect(toy):
    """A fault before spares the state, a fault after leaves it, and each strikes as often as told."""
    for when in ("before", "after"):
        await toy.control.post(
            "/faults",
            json={"match": {"method": "POST", "body": "hello"}, "effect": {"status": 503, "when": when}},
        )
    answers = [(await toy.wire.post("/notes", json=NOTE)).status_code for _ in range(3)]
    assert answers == [503, 503, 201]
    assert texts(toy) == ["seed 1", "hello", "hello"]


async def test_skip_and_forever(toy):
    """A rule lets its first calls pass, then strikes without end until it is deleted."""
    rule = {"match": {"path": "^/notes$"}, "skip": 1, "times": None, "effect": {"html": 502}}
    made = (await toy.control.post("/faults", json=rule)).json()
    answers = [(await toy.wire.post("/notes", json=NOTE)).status_code for _ in range(3)]
    await toy.control.delete(f"/faults/{made['id']}")
    answers.append((await toy.wire.post("/notes", json=NOTE)).status_code)
    assert answers == [201, 502, 502, 201]


@pytest.mark.parametrize(("when", "expected"), [("before", ["seed 1"]), ("after", ["seed 1", "hello"])])
async def test_dropped_connection(toy, when, expected):
    """A dropped call gets no answer, with its effect or without as told."""
    await toy.control.post("/faults", json={"effect": {"drop": when}})
    with pytest.raises(httpx.TransportError):
        await toy.wire.post("/notes", json=NOTE)
    assert texts(toy) == expected


async def test_late_commit(toy):
    """A late commit drops the connection first and takes effect afterwards."""
    await toy.control.post("/faults", json={"effect": {"commit_late_ms": 80}})
    with pytest.raises(httpx.TransportError):
        await toy.wire.post("/notes", json=NOTE)
    assert texts(toy) == ["seed 1"]
    async with asyncio.timeout(5):
        while texts(toy) == ["seed 1"]:  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.01)
    assert texts(toy) == ["seed 1", "hello"]


async def test_held_call_commits_without_its_client(toy):
    """A call held before its effect goes on after release though its client has given up."""
    hold = (await toy.control.post("/holds", json={"match": {"method": "POST"}, "point": "before"})).json()[
        "id"
    ]
    asking = asyncio.create_task(toy.wire.post("/notes", json=NOTE))
    held = (await toy.control.get(f"/holds/{hold}", params={"wait_seconds": 5})).json()["held"]
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert (held, texts(toy)) == ([1], ["seed 1"])
    await toy.control.post(f"/holds/{hold}/release")
    async with asyncio.timeout(5):
        while len(texts(toy)) < 2:  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.01)


async def test_hold_after_the_effect(toy):
    """A call held after its effect has its effect, and no answer until released."""
    hold = (await toy.control.post("/holds", json={"point": "after"})).json()["id"]
    asking = asyncio.create_task(toy.wire.post("/notes", json=NOTE))
    await toy.control.get(f"/holds/{hold}", params={"wait_seconds": 5})
    assert (texts(toy), asking.done()) == (["seed 1", "hello"], False)
    await toy.control.post(f"/holds/{hold}/release")
    assert (await asking).status_code == 201


async def test_expired_token_and_canned_answer(toy):
    """A killed token is dead for good, and a canned answer replaces the vendor's."""
    await toy.control.post("/faults", json={"effect": {"answer": {"status": 200, "body": {"odd": True}}}})
    assert (await toy.wire.post("/notes", json=NOTE)).json() == {"odd": True}
    await toy.control.post("/faults", json={"effect": {"expire_token": True}})
    assert [(await toy.wire.post("/notes", json=NOTE)).status_code for _ in range(2)] == [401, 401]


async def test_unknown_effect_is_refused(toy):
    """A fault that nobody understands is refused with a sentence."""
    refused = await toy.control.post("/faults", json={"effect": {"explode": True}})
    assert (refused.status_code, "explode" in refused.json()["error"]) == (400, True)


async def test_notifications_misbehave_as_told(toy):
    """Notifications are lost, doubled, held back and turned round, and the latest can be sent again."""
    toy.vendor.delivered.clear()
    for mode, times in (("lose", 1), ("duplicate", 1), ("delay", 1), ("reorder", 2)):
        await toy.control.post("/notifications", json={"mode": mode, "times": times, "copies": 3})
        for _ in range(times):
            await toy.wire.post("/notes", json=NOTE)
    assert [e["id"] for e in toy.vendor.delivered] == ["3", "3", "3", "6", "5", "4"]
    await toy.control.post("/notifications/redeliver", json={"count": 1})
    assert toy.vendor.delivered[-1] == {"id": "4"}


async def test_clock_stands_and_moves(toy):
    """A set clock stands still, and advances only when told."""
    await toy.control.put("/clock", json={"now": "2026-01-01T00:00:00Z"})
    moved = (await toy.control.put("/clock", json={"advance_seconds": 90})).json()
    assert moved == {"now": "2026-01-01T00:01:30Z"}


async def test_accounts_are_apart_and_idempotent_by_name(toy):
    """A second account has credentials and records of its own, and asking twice makes one."""
    everything = httpx.AsyncClient(base_url=f"{toy.world.base_url}/__control", trust_env=False)
    async with everything:
        first = await everything.post("/accounts", json={"name": "t1", "seed": 5})
        again = await everything.post("/accounts", json={"name": "t1"})
        assert (first.status_code, first.json()) == (201, again.json())
        assert (await everything.get("/accounts/t1/records/note")).json() == [{"id": "1", "text": "seed 5"}]
        assert (await everything.get("/health")).json() == {"vendor": "toy", "accounts": ["story", "t1"]}
        assert (await everything.get("/accounts/none")).status_code == 404
        assert (await everything.post("/accounts", json={"name": "../x"})).status_code == 400
    assert first.json()["credentials"]["token"] != toy.account.secret("token")


async def test_reset_keeps_credentials_and_forgets_the_rest(toy):
    """A reset account is as on its first day, with the same credentials."""
    await toy.wire.post("/notes", json=NOTE)
    await toy.control.post("/faults", json={"effect": {"status": 500}})
    await toy.control.post("/reset", json={"seed": 9})
    assert (await toy.wire.get("/notes")).json() == [{"id": "1", "text": "seed 9"}]
    assert (await toy.control.get("/faults")).json() == []


async def test_records_by_a_person(toy):
    """A person creates, edits and deletes records through the control API."""
    made = (await toy.control.post("/records/note", json=NOTE)).json()
    edited = await toy.control.patch(f"/records/note/{made['id']}", json={"text": "x"})
    assert edited.json() == {"id": made["id"], "text": "x"}
    assert (await toy.control.post("/records/note", json={})).status_code == 400
    assert (await toy.control.delete(f"/records/note/{made['id']}")).status_code == 204
    assert (await toy.control.get(f"/records/note/{made['id']}")).status_code == 404


async def test_state_outlives_a_restart(tmp_path):
    """A second start on the same folder has the first's records, and no half-written file."""
    async with bench(data=tmp_path) as first:
        await first.wire.post("/notes", json=NOTE)
        await first.control.put("/clock", json={"now": "2026-01-01T00:00:00Z"})
    async with bench(data=tmp_path) as second:
        assert texts(second) == ["seed 1", "hello"]
        assert second.account.clock.now().year == 2026
        assert (await second.wire.post("/notes", json=NOTE)).json()["id"] == "3"
    assert not list(tmp_path.glob("*.part"))


async def test_port_in_use_is_one_sentence(toy):
    """A second server on a taken port is refused with a sentence that names the port."""
    port = int(toy.world.base_url.rsplit(":", 1)[1])
    with pytest.raises(PortInUse, match=f"Port {port} is in use"):
        async with server.serving(toy.vendor, port=port):
            pass


async def test_https_to_any_host_through_the_proxy(toy):
    """A client that trusts the throw-away authority reaches the stand-in under any host name."""
    proxy = toy.world.proxy
    trust = ssl.create_default_context(cafile=proxy["SSL_CERT_FILE"])
    headers = dict(toy.wire.headers)
    async with httpx.AsyncClient(
        proxy=proxy["HTTPS_PROXY"], verify=trust, headers=headers, trust_env=False
    ) as client:
        for host in ("any.vendor.example", "127.0.0.1"):
            assert [
                (await client.post(f"https://{host}/notes", json=NOTE)).status_code for _ in range(2)
            ] == [201] * 2
        await toy.control.post("/faults", json={"effect": {"drop": "after"}})
        with pytest.raises(httpx.TransportError):
            await client.post("https://any.vendor.example/notes", json=NOTE)
    assert len(texts(toy)) == 6
