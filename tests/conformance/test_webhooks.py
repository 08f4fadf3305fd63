"""Whatever the vendor pushes: what it signed is believed once and while it is new; nothing else is."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.problems import InvalidToken, Problem
from system_apis.connector import Delivery, WebhookRequest, ordering_key
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.records import make_all

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


async def verify(
    connector: ConnectorUnderTest, headers: Mapping[str, str], body: bytes
) -> tuple[Delivery, ...]:
    webhook = connector.instance.opened.webhook
    assert webhook is not None
    lower = {name.lower(): value for name, value in headers.items()}
    url = f"https://api.example.com/hooks/{connector.instance.profile.name}"
    return (await webhook.receive(WebhookRequest("POST", url, lower, body))).deliveries


async def signed(
    connector: ConnectorUnderTest, age: float = 0, **credentials: Any
) -> tuple[dict[str, str], bytes]:
    push, ids = connector.golden.push, await make_all(connector)
    assert push is not None
    return push.signed({**connector.account.credentials, **credentials}, ids[push.noun], time.time() - age)


@here
async def test_a_push_is_believed_by_its_signature(
    connector: ConnectorUnderTest, open_connector: Any
) -> None:
    """One delivery, the same for a replay; unsigned, altered, stale or another account's is refused."""
    push = connector.golden.push
    if push is None:
        assert connector.instance.opened.webhook is None, "the stand does not say how the vendor signs"
        return
    headers, body = await signed(connector)
    deliveries = await verify(connector, headers, body)
    assert len(deliveries) == 1, "a push is one delivery"
    delivery = deliveries[0]
    change = delivery.change
    assert (change.instance, change.object) == (connector.instance.profile.name, push.noun)
    assert delivery.key == ordering_key(change.instance, change.object, change.id)
    assert change.id.encode() in body
    assert not change.by_us
    assert await verify(connector, headers, body) == (delivery,), "a replay is the same delivery"
    await refused(connector, {}, body)
    for name in headers:
        await refused(connector, {key: value for key, value in headers.items() if key != name}, body)
        await refused(connector, {**headers, name: "0"}, body)
    await refused(connector, headers, body.replace(change.id.encode(), b"9999"))
    for age in (push.stale_seconds, -push.stale_seconds):
        stale, old = push.signed(connector.account.credentials, change.id, time.time() - age)
        await refused(connector, stale, old)
    async with open_connector(f"{connector.vendor}/local/{connector.capability}") as other:
        await refused(other, headers, body)


async def refused(connector: ConnectorUnderTest, headers: Mapping[str, str], body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        await verify(connector, headers, body)
    assert isinstance(caught.value, InvalidToken), caught.value
