"""tests of the cellar's hall: a change source is kept running, and left alone while it cannot run."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from system_apis import app
from tests.support.listening import Cursors, Inbox


class Failing:
    """A source that fails so many times as soon as it runs, and then stops everything."""

    name = "crm-1:poll"

    def __init__(self, times: int) -> None:
        self.left = times

    async def begin(self, cursor: Any) -> None: ...

    async def run(self, receive: Any, cursor: Any, stop: asyncio.Event) -> None:
        del receive, cursor
        self.left -= 1
        if self.left == 0:
            stop.set()
        raise RuntimeError("refused")


@asynccontextmanager
async def free(_: str) -> AsyncIterator[None]:
    yield


async def test_a_source_that_fails_at_once_is_left_alone_longer_and_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time that a source fails as soon as it runs the wait doubles, up to the longest."""
    monkeypatch.setattr(app, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(app, "LONGEST_PAUSE_SECONDS", 0.004)
    stop = asyncio.Event()
    with capture_logs() as logs:
        await app.watch(Failing(5), receive=Inbox(), cursor=Cursors(), lease=free, stop=stop)
    assert [line["again_in"] for line in logs] == [0.001, 0.002, 0.004, 0.004, 0.004]
