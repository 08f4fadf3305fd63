"""kit/database: many locks on one connection, held across processes and freed by death, without clocks."""

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, LiteralString

import psycopg
from sqlalchemy.engine import make_url

from contracts.problems import Unavailable
from kit.database.refusals import problem_of

_RETRY_SECONDS = 0.1
_LONGEST_RETRY_SECONDS = 1.0  # of who waits for long, as a second process does for what the first watches
# By default a server takes two hours to notice that a machine has vanished, and holds its locks until then.
_NOTICE_DEATH = (
    "SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),"
    " set_config('tcp_keepalives_count', '3', false)"
)


def number_of(name: str) -> int:
    """The advisory lock's number for a name: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True)


class LockSession:
    """A connection for the locks of its session; opened at the first use, and again when it is lost.

    A query holds `talking` until its result is recorded: one thing happens at a time.
    """

    def __init__(self, url: str, name: str) -> None:
        self.talking = asyncio.Lock()
        self._name = name
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def close(self) -> None:
        """End the session, and with it every lock."""
        async with self.talking:
            await self._forget()

    async def opened(self) -> None:
        """A new session begins; it holds nothing yet."""

    def lost(self) -> None:
        """The session has ended, by us or by the server."""

    async def ask(self, question: LiteralString, **values: Any) -> list[tuple[Any, ...]]:
        """The rows of an answer; raises Unavailable when there is none, and the session is then lost."""
        try:
            if self._connection is None or self._connection.closed:
                await self._forget()
                self._connection = await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5, application_name=self._name
                )
                await self._connection.execute(_NOTICE_DEATH)
                await self.opened()
            return await (await self._connection.execute(question, values)).fetchall()
        except psycopg.Error as error:
            await self._forget()
            raise (problem_of(error) or Unavailable("The database failed", retry_after=1)) from error

    async def _forget(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self.lost()
            with suppress(psycopg.Error):
                await connection.close()


class Hold:
    """That this process alone holds a lock; `lost` is set once it knows better."""

    def __init__(self, locks: "SessionLocks", name: str) -> None:
        self.lost = asyncio.Event()
        self._locks = locks
        self._name = name

    async def confirm(self) -> None:
        """Ask the server whether the lock is still ours; raises Unavailable when it is not.

        To be asked directly before what must not be done twice: a process may have stood still for so long
        that another has taken its place, and only the server knows.
        """
        await self._locks.check()
        if self.lost.is_set():
            raise Unavailable(f"The lock {self._name} was lost", retry_after=1)


class SessionLocks(LockSession):
    """Advisory locks of one session: one writer per name, in this process and among all.

    A lost connection loses the locks; `lost` of each hold is then set, and what it guards must bear it.
    """

    def __init__(self, url: str, name: str = "enfilade") -> None:
        super().__init__(url, name)
        self._local: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: defaultdict[str, int] = defaultdict(int)
        self._held: dict[str, Hold] = {}
        self._giving: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Hold]:
        """Wait for the lock and hold it."""
        async with self._alone(name):
            pause = _RETRY_SECONDS
            while (held := await self.take(name)) is None:
                # Another process holds it; PostgreSQL cannot wake one session about several locks.
                await asyncio.sleep(pause)
                pause = min(pause * 1.2, _LONGEST_RETRY_SECONDS)
            try:
                yield held
            finally:
                await self.release(name)

    async def take(self, name: str) -> Hold | None:
        """Hold the lock if it is free; None when another session holds it. Raises Unavailable."""
        taking = asyncio.ensure_future(self._take(name))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            taking.add_done_callback(lambda done: self._give_back(name, done))
            raise

    async def release(self, name: str) -> None:
        """Release the lock; one that was lost is already released."""
        await asyncio.shield(self._release(name))

    async def check(self) -> None:
        """Find out whether the session still lives; raises Unavailable when the server does not answer."""
        await asyncio.shield(self._check())

    def lost(self) -> None:
        for held in self._held.values():
            held.lost.set()
        self._held.clear()

    # A waiting caller may be cancelled; a query in flight may not, or all locks of the session are in doubt.

    async def _take(self, name: str) -> Hold | None:
        async with self.talking:
            if name in self._held:
                return None
            [(got,)] = await self.ask("SELECT pg_try_advisory_lock(%(lock)s)", lock=number_of(name))
            if not got:
                return None
            self._held[name] = Hold(self, name)
            return self._held[name]

    async def _release(self, name: str) -> None:
        async with self.talking:
            if self._held.pop(name, None) is not None:
                with suppress(Unavailable):
                    await self.ask("SELECT pg_advisory_unlock(%(lock)s)", lock=number_of(name))

    async def _check(self) -> None:
        async with self.talking:
            await self.ask("SELECT 1")

    def _give_back(self, name: str, taking: asyncio.Future[Hold | None]) -> None:
        """Release a lock that was acquired after its caller was cancelled."""
        if not taking.cancelled() and taking.exception() is None and taking.result() is not None:
            giving = asyncio.ensure_future(self._release(name))
            self._giving.add(giving)
            giving.add_done_callback(self._giving.discard)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        self._waiting[name] += 1
        try:
            async with self._local[name]:
                yield
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name], self._local[name]
