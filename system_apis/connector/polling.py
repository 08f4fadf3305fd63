"""system_apis: polls a vendor in the background until it is stopped."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar

from contracts.problems import VendorUnavailable
from kit import context, telemetry

_log = telemetry.log(__name__)

# Set by the runner of a source: a webhook asks in it that the source is polled now.
look_now: ContextVar[asyncio.Event | None] = ContextVar("enfilade_look_now", default=None)


async def _nothing() -> None: ...


# Set by the runner of a source: called after each poll that went well.
polled: ContextVar[Callable[[], Awaitable[None]]] = ContextVar("enfilade_polled", default=_nothing)


def in_background(source: str) -> context.Context:
    """No caller waits for this work: it uses no share of the account's allowance that callers need."""
    return context.Context(context.new_correlation_id(), actor=source, lane="batch")


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but not longer than until `stop`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def poll_repeatedly(
    source: str, poll: Callable[[], Awaitable[None]], stop: asyncio.Event, waits: Iterable[float]
) -> None:
    """Poll until `stop`, with the endless `waits` between; raises what the vendor refuses.

    It retries when an account is unavailable, throttles or has no calls left; a webhook can end a wait.
    """
    for seconds in waits:
        wait = seconds
        try:
            with context.use(in_background(source)):
                await poll()
            await polled.get()()
        except VendorUnavailable as problem:
            wait = max(wait, problem.retry_after or 0)
            _log.warning("the account is waited for", source=source, code=problem.code, seconds=wait)
        await _pause_unless_called(stop, wait)
        if stop.is_set():
            return


async def _pause_unless_called(stop: asyncio.Event, seconds: float) -> None:
    """Wait until the next poll is due, or is asked for; a wish from during the last one counts."""
    look = look_now.get()
    if look is None:
        return await pause(stop, seconds)
    waiting = {asyncio.ensure_future(event.wait()) for event in (stop, look)}
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        look.clear()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
