"""tests of kit/http: a stand to call, and clients that lose no time between attempts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from kit.http import Limits, Outbound
from tests.kit.http.stand import Stand, open_stand


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with open_stand() as stand:
        yield stand


@pytest.fixture
async def client(stand: Stand) -> AsyncIterator[Callable[..., Outbound]]:
    """Opens outbound clients to the stand."""
    async with AsyncExitStack() as stack:
        opened: list[Outbound] = []

        def open_client(**more: Any) -> Outbound:
            more.setdefault("limits", Limits(backoff_seconds=0.001, timeout_seconds=5))
            made = Outbound(instance="shop-main", base_url=stand.url, request_id_header="X-Request", **more)
            opened.append(made)
            stack.push_async_exit(made)
            return made

        yield open_client
