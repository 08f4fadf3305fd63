"""Who holds which call slot over all processes: PostgreSQL's session locks, freed when a process dies."""

import asyncio
import hashlib
from typing import Protocol

from kit import telemetry
from kit.database.locks import LockSession

_log = telemetry.log(__name__)

WAITING = -1  # held in share mode by each process that waits for a slot of the space
_GRACE = 1.0  # seconds; after a lost connection each process first takes back the slots that it was using

# A set-returning function under LIMIT stops at the last row that it needs, so no lock too many is taken.
_TAKE = (
    "SELECT slot FROM unnest(%(slots)s::int[]) AS slot"
    " WHERE pg_try_advisory_lock(%(space)s::int, slot) LIMIT %(most)s"
)
_GIVE = "SELECT pg_advisory_unlock(%(space)s::int, %(slot)s::int)"
_WAIT = "SELECT pg_try_advisory_lock_shared(%(space)s::int, %(slot)s::int)"
_STOP_WAITING = "SELECT pg_advisory_unlock_shared(%(space)s::int, %(slot)s::int)"
_OTHERS = (
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid()"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = (%(space)s::bigint & 4294967295)::oid"
    " AND objid = (%(slot)s::bigint & 4294967295)::oid AND objsubid = 2"
)


def space_of(instance: str) -> int:
    """The lock space of an instance: 31 bits of its name's hash."""
    return int.from_bytes(hashlib.sha256(f"slots:{instance}".encode()).digest()[:4]) >> 1


class Locks(Protocol):
    """Numbered locks in spaces, each held by at most one process; they raise Unavailable."""

    async def take(self, space: int, slots: list[int], most: int) -> list[int]:
        """Up to `most` of the slots, of which this process holds none yet; what is free, at once."""
        ...

    async def give(self, space: int, slot: int) -> None: ...

    async def wait(self, space: int, *, waiting: bool) -> None:
        """Show the other processes whether this one waits for a slot."""
        ...

    async def others_wait(self, space: int) -> bool: ...

    async def close(self) -> None: ...


class LocalLocks:
    """Locks without a database: one process, which shares them with no other."""

    async def take(self, space: int, slots: list[int], most: int) -> list[int]:
        del space
        return slots[:most]

    async def give(self, space: int, slot: int) -> None: ...

    async def wait(self, space: int, *, waiting: bool) -> None: ...

    async def others_wait(self, space: int) -> bool:
        del space
        return False

    async def close(self) -> None: ...


class SlotLocks(LockSession):
    """Locks of one session that are taken back when it is lost.

    Only tasks of the slots themselves come here, never a caller's, which may be cancelled half-way.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, "enfilade slots")
        self._held: set[tuple[int, int]] = set()
        self._waiting: set[int] = set()

    async def take(self, space: int, slots: list[int], most: int) -> list[int]:
        async with self.talking:
            taken = [slot for (slot,) in await self.ask(_TAKE, space=space, slots=slots, most=most)]
            self._held.update((space, slot) for slot in taken)
            return taken

    async def give(self, space: int, slot: int) -> None:
        async with self.talking:
            self._held.discard((space, slot))
            await self.ask(_GIVE, space=space, slot=slot)

    async def wait(self, space: int, *, waiting: bool) -> None:
        async with self.talking:
            (self._waiting.add if waiting else self._waiting.discard)(space)
            await self.ask(_WAIT if waiting else _STOP_WAITING, space=space, slot=WAITING)

    async def others_wait(self, space: int) -> bool:
        async with self.talking:
            [(count,)] = await self.ask(_OTHERS, space=space, slot=WAITING)
            return count > 0

    async def opened(self) -> None:
        """Take back the locks of calls that are in flight, before any process starts a new one."""
        lost = sorted(self._held)
        for space, slot in lost:
            await self.ask(_TAKE, space=space, slots=[slot], most=1)
        for space in self._waiting:
            await self.ask(_WAIT, space=space, slot=WAITING)
        if lost:
            _log.warning("the session that held call slots was lost", slots=len(lost))
            await asyncio.sleep(_GRACE)
