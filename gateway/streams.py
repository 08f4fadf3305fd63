"""Streams: the bodies that are being sent piece by piece, their bounds, and how each of them ends."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.problems import DeadlineExceeded, Overloaded, Problem, Unexpected
from kit.streaming import EVENT_STREAM, Produced, failure, retry
from kit.telemetry import log

Outcome = Literal["", "complete", "reconnect", "aborted", "disconnected"]
Send = Callable[[Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]

_RECONNECT_SECONDS = (1.0, 3.0)  # random, so that the readers of a worker do not come back together
_log = log(__name__)


class StreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of a stream, in seconds, and of the open streams of a process.

    A stream whose tier is silent for `idle_seconds`, or whose reader takes nothing for `send_seconds`, is
    aborted. After `max_seconds` readers of events are asked to reconnect, with a credential that is verified
    again, and any other stream is aborted. Beyond `max_open` streams are refused.
    """

    idle_seconds: Annotated[float, Meta(gt=0)] = 60.0
    send_seconds: Annotated[float, Meta(gt=0)] = 30.0
    max_seconds: Annotated[float, Meta(gt=0)] = 900.0
    max_open: Annotated[int, Meta(ge=0)] = 200


_DEFAULT = StreamSettings()


class BodyStream:
    """The body of a streaming answer, and what policies do when it has ended, in whichever way.

    `sent` counts its bytes; `outcome` says how it ended, `problem` why it was aborted.
    """

    __slots__ = ("_at_end", "limits", "media_type", "outcome", "pieces", "problem", "sent")

    def __init__(self, pieces: Produced, media_type: str) -> None:
        self.pieces = pieces
        self.media_type = media_type
        self.limits = _DEFAULT
        self.sent = 0
        self.outcome: Outcome = ""
        self.problem: Problem | None = None
        self._at_end: list[Callable[[], None]] = []

    def at_end(self, work: Callable[[], None]) -> None:
        """Do this once when the stream has ended, to release what is held for its call."""
        self._at_end.append(work)

    def abandon(self) -> None:
        """Stop the producer of a stream that is not sent, and do what is due at the end."""
        self.pieces.stop()
        self._finish()

    async def close(self) -> None:
        """Wait until the producer has stopped, and do what is due at the end; a second time does nothing."""
        try:
            await self.pieces.close()
        finally:
            self._finish()

    def _finish(self) -> None:
        work, self._at_end = self._at_end, []
        for each in work:
            each()


class OpenStreams:
    """The open streams of this process; they survive a change of policy."""

    def __init__(self) -> None:
        self._open = 0
        self._transfers: set[_Transfer] = set()
        self._ending = False

    def admit(self, most: int) -> Callable[[], None]:
        """Count a stream until what is returned is called; raises Overloaded beyond the maximum."""
        if self._open >= most:
            raise Overloaded("Too many streams are open", retry_after=1 + random.random())  # noqa: S311 - no secret
        self._open += 1
        return self._leave

    def _leave(self) -> None:
        self._open -= 1

    def end(self) -> None:
        """Ask the readers of events to reconnect, now and from now on; other streams may finish."""
        self._ending = True
        for transfer in self._transfers:
            transfer.end()

    async def send(
        self, stream: BodyStream, send: Send, receive: Receive, path: str, correlation: str
    ) -> None:
        """Send the pieces until the stream ends, its reader leaves or a bound is reached.

        An aborted stream has no last message, upon which the server breaks the connection off.
        """
        transfer = _Transfer(stream, send, path, correlation)
        self._transfers.add(transfer)
        if self._ending:
            transfer.end()
        try:
            await transfer.run(receive)
        finally:
            self._transfers.discard(transfer)


class _ReconnectError(Exception):
    """The reader is to reconnect."""


class _Transfer:
    """One stream on its way to its reader."""

    def __init__(self, stream: BodyStream, send: Send, path: str, correlation_id: str) -> None:
        self._stream = stream
        self._send = send
        self._path = path
        self._correlation_id = correlation_id
        self._of_events = stream.media_type == EVENT_STREAM
        self._ending = asyncio.Event()

    def end(self) -> None:
        if self._of_events:
            self._ending.set()

    async def run(self, receive: Receive) -> None:
        pump, gone = asyncio.create_task(self._pump()), asyncio.create_task(_until_gone(receive))
        try:
            await asyncio.wait({pump, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not self._stream.outcome and not (pump.done() and not pump.cancelled()):
                self._stream.outcome = "disconnected"
            for task in (pump, gone):
                task.cancel()
            await asyncio.gather(pump, gone, return_exceptions=True)
            await self._stream.close()

    async def _pump(self) -> None:
        stream = self._stream
        timer = asyncio.get_running_loop().call_later(stream.limits.max_seconds, self._ending.set)
        try:
            while (piece := await self._next()) is not None:
                await self._write(piece)
            outcome: Outcome = "complete"
        except _ReconnectError:
            await self._write(retry(random.uniform(*_RECONNECT_SECONDS)))  # noqa: S311 - no secret
            outcome = "reconnect"
        except Exception as error:  # noqa: BLE001 - whatever it was, the reader must not take it for the end
            await self._abort(error)
            return
        finally:
            timer.cancel()
        await self._send({"type": "http.response.body", "body": b""})
        stream.outcome = outcome

    async def _next(self) -> bytes | None:
        """The next piece, None at the end; raises what the producer does, or when a bound is reached."""
        step, ending = (
            asyncio.ensure_future(_step(self._stream.pieces)),
            asyncio.ensure_future(self._ending.wait()),
        )
        try:
            await asyncio.wait(
                {step, ending}, timeout=self._stream.limits.idle_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if self._ending.is_set():
                raise _ReconnectError if self._of_events else DeadlineExceeded("The stream took too long")
            if step.done():
                return step.result()
            raise DeadlineExceeded("The stream was silent for too long")
        finally:
            for task in (step, ending):
                task.cancel()

    async def _write(self, piece: bytes) -> None:
        async with asyncio.timeout(self._stream.limits.send_seconds):
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._stream.sent += len(piece)

    async def _abort(self, error: Exception) -> None:
        """Record why, and tell a reader of events; the connection is broken off by having no last message."""
        stream = self._stream
        stream.outcome = "aborted"
        if isinstance(error, TimeoutError):
            _log.warning("stream aborted", reason="its reader takes nothing", path=self._path)
            return
        if not isinstance(error, Problem):
            _log.error("stream aborted", path=self._path, correlation_id=self._correlation_id, exc_info=error)
            error = Unexpected()
        stream.problem = error
        if self._of_events:
            await self._write(failure(error, instance=self._path, correlation_id=self._correlation_id))


async def _step(pieces: Produced) -> bytes | None:
    return await anext(pieces, None)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
