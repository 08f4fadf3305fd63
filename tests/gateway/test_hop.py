"""tests/gateway: what travels to the tier, and until when."""

import asyncio
import re
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.problems import DeadlineExceeded, Unavailable
from deploy.composition.carrier import Carrier
from deploy.settings import ServerSettings
from gateway.app import Gateway
from gateway.exchange import Header
from gateway.inventory import Mounted
from gateway.policies.hop import over_http
from gateway.policies.hop.deadlines import Watch
from gateway.policies.hop.trace import continue_or_start, state_of
from kit import context
from kit.delegation import delegation
from kit.operations import document
from kit.secrets import Secret
from tests.gateway.demo import Shop
from tests.gateway.deployment import CONSUMERS, ORDER, URL, Deployment, problem
from tests.support.gateways import make_gateway

ORDERS = "/experience/shop/v1/orders/o-1"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_an_operation_that_takes_too_long_is_504_and_stopped(deployment: Deployment):
    """The deadline ends the work, not only the waiting."""
    before = deployment.tier.cancelled
    problem(await deployment.call("GET", "/experience/shop/v1/slow"), 504, "deadline_exceeded")
    assert deployment.tier.cancelled == before + 1


async def test_a_slow_operation_does_not_hold_up_the_others(deployment: Deployment):
    """While one waits for its deadline, others answer."""
    slow = asyncio.create_task(deployment.call("GET", "/experience/shop/v1/slow"))
    answers = await asyncio.gather(*(deployment.call("GET", ORDERS) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await slow).status_code == 504


async def test_a_caller_that_leaves_is_no_deadline():
    """A cancellation from elsewhere stays one."""
    watch = Watch()
    task = asyncio.create_task(watch.run(asyncio.Event().wait(), float("inf")))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_ends_in_time_is_left_alone():
    """The watch forgets what is done, and cancels nothing after."""
    watch = Watch()
    assert await watch.run(asyncio.sleep(0, "done"), float("inf")) == "done"
    with pytest.raises(DeadlineExceeded):
        await watch.run(asyncio.Event().wait(), 0.0)
    assert await watch.run(asyncio.sleep(0.12, "later"), float("inf")) == "later"


async def test_work_that_answers_its_own_cancellation_is_late_all_the_same():
    """Neither an error nor an answer made of the cancellation hides that the deadline has passed."""

    async def stumble() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError("connection lost") from None

    async def shrug() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "500"
        return ""

    watch = Watch()
    for work in (stumble, shrug):
        with pytest.raises(DeadlineExceeded):
            await watch.run(work(), 0.0)
    assert await asyncio.sleep(0, "still here") == "still here"


async def test_the_correlation_id_is_made_here_and_told_to_all(deployment: Deployment):
    """Floor and answer know the same id; the caller's own is not taken for it."""
    answer = await deployment.call("GET", ORDERS, headers={"Correlation-Id": "mine"})
    assert re.fullmatch(r"cor_[0-9a-z]{26}", answer.headers["correlation-id"])
    assert answer.json()["correlation_id"] == answer.headers["correlation-id"]


async def test_the_idempotency_key_travels_with_the_work(deployment: Deployment):
    """The tier sees the key in its context."""
    assert (await deployment.place("travels-0001")).json()["key"] == "travels-0001"
    assert (await deployment.place('"quoted-0001"')).json()["key"] == "quoted-0001"


async def test_a_trace_from_inside_is_continued(deployment: Deployment):
    """Same trace, a span of ours, the sampling of the caller."""
    seen = (await deployment.call("GET", ORDERS, headers={"traceparent": TRACE})).json()["traceparent"]
    assert seen.startswith(TRACE[:36])
    assert seen.endswith("-01")
    assert seen[36:52] != TRACE[36:52]


async def test_a_trace_from_outside_is_started_anew(deployment: Deployment):
    """A partner neither enters our traces nor forces their recording."""
    seen = (await deployment.call("GET", ORDERS, "partner", headers={"traceparent": TRACE})).json()[
        "traceparent"
    ]
    assert TRACE[3:35] not in seen
    assert seen.endswith("-00")


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"00",
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
        b"00-0af7651916cd43dd8448eb211c80319c-" + b"0" * 16 + b"-01",
        b"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        TRACE.encode() + b"-more",
        b"00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
)
def test_a_malformed_trace_is_started_anew(header: bytes | None):
    """What is not a traceparent is not obeyed (W3C Trace Context)."""
    made = continue_or_start(header, trusted=True, sampled=False)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", made)
    assert "0af7651916cd43dd8448eb211c80319c" not in made


def test_a_later_version_is_read_on_what_is_known():
    """A traceparent of a later version may say more."""
    made = continue_or_start(b"01" + TRACE[2:].encode() + b"-more", trusted=True, sampled=False)
    assert made.startswith("00-0af7651916cd43dd8448eb211c80319c-")


async def test_spoofable_headers_stay_at_the_door(deployment: Deployment):
    """Credentials, cookies, forwarding and baggage do not reach a tier, and what is its own stays there."""
    seen: list[dict[bytes, bytes]] = []

    async def send(
        _method: str, _address: str, headers: list[Header], _body: bytes
    ) -> tuple[int, list[Header], bytes]:
        seen.append(dict(headers))
        told = [
            (b"Connection", b"close, X-Floor"),
            (b"X-Floor", b"1"),
            (b"Via", b"floor"),
            (b"Keep-Alive", b"5"),
            (b"ETag", b'"1"'),
        ]
        return 200, told, b"{}"

    other = _gateway(deployment, over_http("http://floor.test", send))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url=URL) as http:
        headers = {
            "Authorization": f"Bearer {deployment.token('ci')}",
            "Cookie": "a=b",
            "X-Forwarded-For": "1.1.1.1",
            "X-Forwarded-User": "root",
            "Forwarded": "for=1.1.1.1",
            "X-Client-Cert": "x",
            "Baggage": "secret=1",
            "Connection": "close",
            "Accept-Language": "de",
        }
        answer = await http.get(ORDERS, headers=headers)
    assert set(seen[0]) <= {b"accept", b"accept-language", b"correlation-id", b"traceparent"}
    assert not set(answer.headers) & {"connection", "x-floor", "via", "keep-alive"}
    assert answer.headers["etag"] == '"1"'


def _gateway(deployment: Deployment, target: Any) -> Gateway:
    return make_gateway(
        settings=deployment.gateway.runtime.settings,
        consumers=CONSUMERS,
        apis=[Mounted(Shop, document(Shop), target)],
        public_url=URL,
        issuer=deployment.issuer,
    )


async def test_a_floor_elsewhere_is_reached_with_context_and_body(deployment: Deployment):
    """Method, address, query, body and correlation id go over; status, headers and body come back."""
    sent: list[Any] = []

    async def send(
        method: str, address: str, headers: list[Header], body: bytes
    ) -> tuple[int, list[Header], bytes]:
        sent.append((method, address, dict(headers), body, context.current().who))
        headers = [(b"Content-Type", b"application/json"), (b"Transfer-Encoding", b"chunked")]
        return 202, headers, b'{"id":"x"}'

    gateway = _gateway(deployment, over_http("http://floor.test:9/", send))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=URL) as http:
        headers = {"Authorization": f"Bearer {deployment.token('ci')}", "Idempotency-Key": "remote-0001"}
        answer = await http.post("/experience/shop/v1/orders", headers=headers, json=ORDER)
        listed = await http.get("/experience/shop/v1/orders?limit=5", headers=headers)
    method, address, told, body, who = sent[0]
    assert (method, address) == ("POST", "http://floor.test:9/experience/shop/v1/orders")
    correlation_id = answer.headers["correlation-id"].encode()
    assert (told[b"idempotency-key"], told[b"correlation-id"]) == (b"remote-0001", correlation_id)
    assert b"authorization" not in told
    assert (b"tea" in body, who) == (True, "ci")
    assert (answer.status_code, answer.json(), listed.status_code) == (202, {"id": "x"}, 202)
    assert sent[1][1].endswith("/orders?limit=5")


async def test_a_floor_that_cannot_be_reached_is_503(deployment: Deployment):
    """What the sender raises is told as it is."""

    async def send(*_: Any) -> Any:
        raise Unavailable("experience cannot be reached", retry_after=1)

    gateway = _gateway(deployment, over_http("http://floor.test:9", send))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=URL) as http:
        answer = await http.get(ORDERS, headers={"Authorization": f"Bearer {deployment.token('ci')}"})
    problem(answer, 503, "unavailable")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept-language", "dé".encode()),
        ("accept-language", "dé".encode("latin-1")),
        ("accept", b'application/json; title="\xff"'),
        ("prefer", b'respond-async; note="\xe9"'),
        ("if-none-match", b'"\x80"'),
        ("if-match", b'"\xe9", "1"'),
    ],
)
async def test_headers_go_over_byte_by_byte(deployment: Deployment, name: str, value: bytes):
    """Headers in any encoding reach a tier in another process unchanged, and so does its answer."""
    arrived: list[dict[bytes, bytes]] = []

    async def floor(scope: Any, _: Any, send: Any) -> None:
        arrived.append(dict(scope["headers"]))
        headers = [(b"content-type", b"application/json"), (b"etag", b'"1"'), (b"x-note", "Ł".encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(floor)) as inside:
        settings = ServerSettings(database_url="", experience_url="http://floor.test")
        carrier = Carrier(settings, inside, delegation(Secret("x" * 64), "gateway"))
        gateway = _gateway(deployment, carrier.target("experience"))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=URL) as http:
            headers = {b"authorization": f"Bearer {deployment.token('ci')}".encode(), name.encode(): value}
            answer = await http.get(ORDERS, headers=headers)
    assert (answer.status_code, arrived[0][name.encode()]) == (200, value)
    assert (b"x-note", "Ł".encode()) in answer.headers.raw


STATES = tomllib.loads(Path(__file__).with_name("tracestates.toml").read_text())["case"]


@pytest.mark.parametrize("case", STATES, ids=lambda case: case["says"])
def test_a_tracestate_is_passed_on_where_it_is_one(case: dict[str, Any]):
    """What vendors keep in tracestate goes on with its trace, and what is none is dropped (W3C)."""
    sent = case["tracestate"] * case.get("times", 1)
    headers = {b"traceparent": TRACE.encode(), b"tracestate": sent.encode("latin-1")}
    assert state_of(headers, trusted=True) == case.get("passed", sent)
    assert state_of(headers, trusted=False) == ""
    assert state_of({b"tracestate": headers[b"tracestate"]}, trusted=True) == ""


async def test_a_tracestate_reaches_a_tier(deployment: Deployment):
    """A trace from inside brings its tracestate along, one from outside does not."""
    seen: list[dict[bytes, bytes]] = []

    async def send(_: str, __: str, headers: list[Header], ___: bytes) -> tuple[int, list[Header], bytes]:
        seen.append({**dict(headers), b"current": context.current().tracestate.encode()})
        return 200, [], b"{}"

    gateway = _gateway(deployment, over_http("http://floor.test", send))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=URL) as http:
        for name in ("ci", "partner"):
            headers = {"Authorization": f"Bearer {deployment.token(name)}", "traceparent": TRACE}
            await http.get(ORDERS, headers={**headers, "tracestate": "dd=s:1;o:rum"})
    assert [told.get(b"tracestate") for told in seen] == [b"dd=s:1;o:rum", None]
    assert [told[b"current"] for told in seen] == [b"dd=s:1;o:rum", b""]
