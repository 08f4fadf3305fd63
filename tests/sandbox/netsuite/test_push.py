"""The change script of the NetSuite stand-in, against a receiver of the test's own."""

import asyncio
import hashlib
import hmac
import json

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.sandbox.netsuite.conftest import ACME, order


class Receiver:
    """Takes pushes; answers with the statuses it is told, then 202."""

    def __init__(self):
        self.taken = []
        self.answers = []
        self.url = ""
        self._more = asyncio.Condition()

    async def __call__(self, request):
        body = await request.body()
        status = self.answers.pop(0) if self.answers else 202
        async with self._more:
            self.taken.append((dict(request.headers), body, status))
            self._more.notify_all()
        return Response(status_code=status)

    async def wait(self, count):
        """The events taken well, once there are as many."""
        async with asyncio.timeout(10), self._more:
            await self._more.wait_for(lambda: len(self.events()) >= count)
        return self.events()

    def events(self):
        return [json.loads(body) for _, body, status in self.taken if status < 300]


@pytest.fixture
async def receiver(unused_tcp_port):
    made = Receiver()
    made.url = f"http://127.0.0.1:{unused_tcp_port}/hooks/erp"
    app = Starlette(routes=[Route("/hooks/erp", made.__call__, methods=["POST"])])
    config = uvicorn.Config(app, port=unused_tcp_port, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server._serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - uvicorn offers no event for it
            await asyncio.sleep(0.01)
    yield made
    server.should_exit = True
    await running


@pytest.fixture
async def pushing(new_account, receiver):
    return await new_account(push_url=receiver.url, push_secret="s3cret")


async def test_every_save_is_pushed_signed(pushing, receiver):
    """A save by API and one by a person both push a thin event whose signature and headers hold."""
    made = await pushing.make("customer", ACME)
    await pushing.control("PATCH", f"records/customer/{made}", {"email": "x@acme.example"})
    await pushing.make("salesOrder", order(made))
    events = await receiver.wait(3)
    assert [(e["recordType"], e["action"]) for e in events] == [
        ("customer", "create"),
        ("customer", "edit"),
        ("salesOrder", "create"),
    ]
    assert events[0]["externalId"] == "CRM-001"
    headers, body, _ = receiver.taken[0]
    expected = hmac.new(
        b"s3cret", headers["x-ns-timestamp"].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    assert headers["x-ns-signature"] == f"sha256={expected}"
    assert headers["x-ns-event-id"] == events[0]["eventId"]
    assert len({e["eventId"] for e in events}) == 3


async def test_push_is_repeated_until_taken(pushing, receiver):
    """A receiver that fails gets the same event again."""
    receiver.answers = [500, 503]
    await pushing.make("customer", ACME)
    events = await receiver.wait(1)
    assert len({headers["x-ns-event-id"] for headers, _, _ in receiver.taken}) == 1
    assert (len(receiver.taken), len(events)) == (3, 1)


async def test_pushes_are_doubled_lost_and_redelivered(pushing, receiver):
    """Fifty copies arrive for one save, a lost one never does, and the latest can be sent again."""
    await pushing.control("POST", "notifications", {"mode": "duplicate", "times": 1, "copies": 50})
    made = await pushing.make("customer", ACME)
    events = await receiver.wait(50)
    assert len({e["eventId"] for e in events}) == 1
    await pushing.control("POST", "notifications", {"mode": "lose", "times": 1})
    await pushing.record("PATCH", f"customer/{made}", {"comments": "lost"})
    await pushing.record("PATCH", f"customer/{made}", {"comments": "seen"})
    assert len(await receiver.wait(51)) == 51
    await pushing.control("POST", "notifications/redeliver", {"count": 1})
    assert (await receiver.wait(52))[-1] == receiver.events()[50]


async def test_refused_saves_push_nothing(pushing, receiver):
    """What was not saved is not announced."""
    await pushing.record("POST", "customer", {})
    await pushing.make("customer", ACME)
    assert [e["action"] for e in await receiver.wait(1)] == ["create"]
