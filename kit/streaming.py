"""kit: bodies that are sent piece by piece, produced in a task of their own, a piece ahead of the reader."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import msgspec

from contracts.problems import Problem, Unavailable
from kit import context, problems
from kit.telemetry import log

EVENT_STREAM = "text/event-stream"
IDLE_SECONDS = 60.0
"""How long a stream may be silent before it counts as broken."""

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b": \n\n"
_FAILURE = b"event: error\n"
_LONGEST_FAILURE = 65_536
_CLOSE_SECONDS = 1.0
_AHEAD = 1  # pieces that wait for a slow reader
_END = object()
_log = log(__name__)


def event(data: Any, *, name: str = "", event_id: str = "") -> bytes:
    """A server-sent event with a JSON document; raises ValueError for a name that means a failure."""
    if name == "error" or "\n" in name + event_id:
        raise ValueError(f"{name!r} is no name for an event")
    head = (f"id: {event_id}\n" if event_id else "") + (f"event: {name}\n" if name else "")
    return head.encode() + b"data: " + msgspec.json.encode(data) + b"\n\n"


def failure(problem: Problem, *, instance: str = "", correlation_id: str = "") -> bytes:
    """The last event of a stream that failed: the problem document."""
    document = problems.encode(problem, instance=instance, correlation_id=correlation_id)
    return _FAILURE + b"data: " + document + b"\n\n"


def retry(seconds: float) -> bytes:
    """The last words of an event stream whose readers are to reconnect."""
    return f": reconnect\nretry: {round(seconds * 1000)}\n\n".encode()


class Produced:
    """The pieces of an iterator, which runs in a task of its own until it is closed.

    The task works under the context of whoever opened the stream, without its deadline: that is for the first
    piece. A silent event stream is given heartbeats, by which a lost reader is noticed.
    """

    def __init__(self, pieces: AsyncIterator[bytes], *, heartbeat: float | None = None) -> None:
        self._heartbeat = heartbeat
        self._queue: asyncio.Queue[Any] = asyncio.Queue(_AHEAD)
        self._first: Any = None
        self._error: Exception | None = None
        self._task = asyncio.create_task(self._produce(pieces))

    @classmethod
    async def open(cls, pieces: AsyncIterator[bytes], media_type: str) -> "Produced":
        """The stream with its first piece at hand; raises what the iterator raised before that.

        An event stream opens at once: its reader must know so, also when nothing happens for long.
        """
        produced = cls(pieces, heartbeat=HEARTBEAT_SECONDS if media_type == EVENT_STREAM else None)
        if media_type == EVENT_STREAM:
            produced._first = HEARTBEAT
            return produced
        try:
            produced._first = await produced._next()
        except BaseException:
            await produced.close()
            raise
        return produced

    def __aiter__(self) -> "Produced":
        return self

    async def __anext__(self) -> bytes:
        piece, self._first = self._first, None
        if piece is None:
            piece = await self._next()
        if piece is _END:
            self._first = _END
            raise StopAsyncIteration
        return piece

    async def _next(self) -> Any:
        if self._heartbeat is None:
            piece = await self._queue.get()
        else:
            try:
                async with asyncio.timeout(self._heartbeat):
                    piece = await self._queue.get()
            except TimeoutError:
                return HEARTBEAT
        if piece is _END and self._error is not None:
            raise self._error
        return piece

    def stop(self) -> None:
        """Stop the iterator."""
        self._task.cancel()

    async def close(self) -> None:
        """Stop the iterator, and wait until it has freed what it uses."""
        self._task.cancel()
        _, running = await asyncio.wait({self._task}, timeout=_CLOSE_SECONDS)
        if running:
            _log.error("a stream ignores that it was stopped")

    async def _produce(self, pieces: AsyncIterator[bytes]) -> None:
        with context.use(msgspec.structs.replace(context.current(), deadline=None)):
            try:
                async for piece in pieces:
                    if piece:
                        await self._queue.put(piece)
            except Exception as error:  # noqa: BLE001 - raised where the pieces are read
                self._error = error
            finally:
                if (stop := getattr(pieces, "aclose", None)) is not None:
                    await stop()
        await self._queue.put(_END)


async def until_failure(pieces: AsyncIterator[bytes], media_type: str) -> AsyncGenerator[bytes]:
    """The pieces of a stream of another process; raises the problem that its last event tells."""
    if media_type != EVENT_STREAM:
        async for piece in pieces:
            yield piece
        return
    held = b""
    async for piece in pieces:
        held += piece
        place = held.find(_FAILURE)
        if place >= 0:
            if place:
                yield held[:place]
            raise await _failure_of(held[place:], pieces)
        whole = len(held) - _beginning(held)
        if whole:
            yield held[:whole]
        held = held[whole:]
    if held:
        yield held


def _beginning(text: bytes) -> int:
    """How many bytes at the end of a text may be the beginning of a failure."""
    longest = min(len(_FAILURE) - 1, len(text))
    return next((size for size in range(longest, 0, -1) if _FAILURE.startswith(text[-size:])), 0)


async def _failure_of(text: bytes, pieces: AsyncIterator[bytes]) -> Problem:
    try:
        while b"\n\n" not in text and len(text) < _LONGEST_FAILURE:
            text += await anext(pieces)
        document = text.split(b"data: ", 1)[1].split(b"\n\n", 1)[0]
        return problems.from_document(msgspec.json.decode(document, type=dict[str, Any]))
    except (StopAsyncIteration, Problem, IndexError, msgspec.MsgspecError):
        return Unavailable("The stream broke off", retry_after=1)
