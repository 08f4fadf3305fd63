"""tests of kit/http: what is sent again and what is not, and what the caller is told."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from contracts.problems import (
    ContractViolation,
    DeadlineExceeded,
    NotFound,
    Problem,
    VendorDoubtful,
    VendorRejected,
    VendorUnavailable,
)
from kit import context
from kit.http import Breaker, Limits, Outbound, VendorAnswer
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]


class Price(msgspec.Struct):
    amount: Decimal


async def test_money_keeps_its_digits(stand: Stand, client: Open) -> None:
    """A number goes out and comes back with every digit that it has."""
    stand.script(Reply(body=b'{"amount":10.10,"more":1}'))
    answer = await client().send("POST", "/price", body={"amount": Decimal("0.10")})
    assert answer.json(Price) == Price(Decimal("10.10"))
    assert stand.asked[0].body == b'{"amount":0.10}'


async def test_off_schema(stand: Stand, client: Open) -> None:
    """An answer off its schema is a contract violation with the vendor's request id and no body."""
    stand.script(Reply(body=b'{"amount":{"secret":1}}', headers={"X-Request": "r-1"}))
    with pytest.raises(ContractViolation) as caught:
        (await client().send("GET", "/price")).json(Price)
    assert caught.value.vendor_request_id == "r-1"
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_repeatable(stand: Stand, client: Open, method: str) -> None:
    """A call that may be repeated is, after a dropped connection and after a 503."""
    stand.script(Reply(drop=True), Reply(503), Reply(body=b'{"amount":1}'))
    answer = await client().send(method, "/price")
    assert answer.json(Price).amount == 1
    assert len(stand.asked) == 3


async def test_post_dropped(stand: Stand, client: Open) -> None:
    """A POST whose answer was lost is sent once, and told as doubtful."""
    stand.script(Reply(drop=True))
    with pytest.raises(VendorDoubtful):
        await client().send("POST", "/price", body={})
    assert len(stand.asked) == 1


async def test_post_503(stand: Stand, client: Open) -> None:
    """A POST that a gateway answers with 503 may have had its effect: doubtful, sent once."""
    stand.script(Reply(503))
    with pytest.raises(VendorDoubtful):
        await client().send("POST", "/price", body={})
    assert len(stand.asked) == 1


@pytest.mark.parametrize("reply", [Reply(drop=True), Reply(503)])
async def test_read_sent_as_post(stand: Stand, client: Open, reply: Reply) -> None:
    """A read that is sent as POST is sent again, and when it fails for good nothing may have been done."""
    stand.script(reply, Reply(), reply, reply, reply)
    await client().send("POST", "/search", body={}, effect=False)
    with pytest.raises(VendorUnavailable) as caught:
        await client().send("POST", "/search", body={}, effect=False)
    assert type(caught.value) is VendorUnavailable
    assert "may be done" not in caught.value.detail
    assert len(stand.asked) == 5


async def test_effect_sent_as_get(stand: Stand, client: Open) -> None:
    """A call with an effect leaves a doubt whatever its method."""
    stand.script(Reply(drop=True))
    with pytest.raises(VendorDoubtful):
        await client().send("GET", "/close", effect=True, repeatable=False)
    assert len(stand.asked) == 1


async def test_nothing_done(stand: Stand, client: Open) -> None:
    """Where the adapter knows that a 503 did nothing, a POST is sent again, and leaves no doubt."""
    stand.script(Reply(503), Reply(503), Reply(503))

    def read_error(answer: VendorAnswer) -> Problem:
        return VendorUnavailable("closed for the night", instance=answer.instance, nothing_done=True)

    with pytest.raises(VendorUnavailable) as caught:
        await client(read_error=read_error).send("POST", "/price", body={})
    assert type(caught.value) is VendorUnavailable
    assert len(stand.asked) == 3


async def test_error_in_a_success(stand: Stand, client: Open) -> None:
    """An error within a 200 is read where the client says how, and throttling is waited for."""
    stand.script(Reply(body=b'{"error":429}'), Reply(body=b'{"error":"no"}'), Reply(body=b'{"amount":1}'))

    def read_success(answer: VendorAnswer) -> Problem | None:
        error = answer.json(dict[str, object]).get("error")
        if error == 429:
            return VendorUnavailable("too many calls", instance=answer.instance)
        return VendorRejected("refused", instance=answer.instance) if error else None

    opened = client(read_success=read_success)
    with pytest.raises(VendorRejected):
        await opened.send("POST", "/price", body={})
    assert (await opened.send("POST", "/price", body={})).json(Price).amount == 1
    assert len(stand.asked) == 3


async def test_post_429(stand: Stand, client: Open) -> None:
    """A POST that was refused for its rate had no effect, so it is sent again."""
    stand.script(Reply(429, headers={"Retry-After": "0"}), Reply())
    await client().send("POST", "/price", body={})
    assert len(stand.asked) == 2


async def test_timeout(stand: Stand, client: Open) -> None:
    """No answer in time is doubtful for an effect, and plainly unavailable for a read."""
    never = asyncio.Event()

    async def hang(_: Asked) -> Reply:
        await never.wait()
        return Reply()

    stand.answer = hang
    opened = client(limits=Limits(timeout_seconds=0.5, attempts=1))
    with pytest.raises(VendorDoubtful):
        await opened.send("POST", "/price", body={})
    with pytest.raises(VendorUnavailable) as caught:
        await opened.send("GET", "/price")
    assert not isinstance(caught.value, VendorDoubtful)


async def test_not_sent() -> None:
    """Where nobody listens nothing was done, whatever the method."""
    async with Outbound(
        instance="shop-main", base_url="http://127.0.0.1:1", limits=Limits(attempts=1)
    ) as outbound:
        with pytest.raises(VendorUnavailable) as caught:
            await outbound.send("POST", "/price", body={})
    assert not isinstance(caught.value, VendorDoubtful)


async def test_retry_after_beyond_patience(stand: Stand, client: Open) -> None:
    """A vendor that asks for a minute is not called again meanwhile; the caller is told the minute."""
    stand.script(Reply(503, headers={"Retry-After": "60"}))
    with pytest.raises(VendorUnavailable) as caught:
        await client().send("GET", "/price")
    assert caught.value.retry_after == 60
    assert len(stand.asked) == 1


async def test_deadline(stand: Stand, client: Open) -> None:
    """The caller's deadline ends the wait, long before the client's own timeout."""
    never = asyncio.Event()

    async def hang(_: Asked) -> Reply:
        await never.wait()
        return Reply()

    stand.answer = hang
    began = time.monotonic()
    with (
        context.use(context.Context("cor_x", deadline=began + 0.1)),
        pytest.raises(DeadlineExceeded),
    ):
        await client().send("GET", "/price")
    assert time.monotonic() - began < 4


async def test_callers_in_a_hurry(stand: Stand, client: Open) -> None:
    """Callers whose time is short do not close a vendor to the others."""
    never = asyncio.Event()

    async def hang(_: Asked) -> Reply:
        await never.wait()
        return Reply()

    stand.answer = hang
    outbound = client(breaker=Breaker(failures=2, rest=60))
    for _ in range(3):
        with (
            context.use(context.Context("cor_x", deadline=time.monotonic() + 0.02)),
            pytest.raises(DeadlineExceeded),
        ):
            await outbound.send("GET", "/price")
    stand.script(Reply())
    await outbound.send("GET", "/price")


async def test_statuses(stand: Stand, client: Open) -> None:
    """Without a vendor's own table the status decides, and an `ok` status is no problem."""
    stand.script(Reply(404), Reply(400), Reply(302), Reply(404))
    outbound = client()
    for kind in (NotFound, VendorRejected, ContractViolation):
        with pytest.raises(kind):
            await outbound.send("GET", "/price/7")
    assert (await outbound.send("GET", "/price/7", ok=(404,))).status == 404


async def test_breaker(stand: Stand, client: Open) -> None:
    """After a run of failures nobody calls, until one call has looked and found all well."""
    now = [0.0]
    stand.script(Reply(500), Reply(500), Reply())
    outbound = client(breaker=Breaker(failures=2, rest=60, clock=lambda: now[0]), limits=Limits(attempts=1))
    for _ in range(4):
        with pytest.raises(VendorUnavailable):
            await outbound.send("GET", "/price")
    assert len(stand.asked) == 2
    now[0] = 61
    await outbound.send("GET", "/price")
    await outbound.send("GET", "/price")
    assert len(stand.asked) == 4
