"""system_apis: requests that a vendor accepts and answers later, by the outcome of a job.

A request is sent once: until its job has ended, whoever repeats it, or reads what its key makes, asks for the
job. The handle is stored with the database, so a successor of a crashed process asks, too.
"""

from collections.abc import Awaitable, Callable

import msgspec

from contracts.problems import NotFound, VendorPending, VendorRejected
from kit.database import Database
from system_apis.connector.once import Notes, Writers
from system_apis.connector.values import content_of


class Job(msgspec.Struct, frozen=True):
    """A job that was not seen to end: the vendor's name of it, and a hash of what was sent."""

    handle: str
    content: str


class Jobs:
    """The jobs of one instance, by the key of what they make.

    `ask` says by a handle whether a job is done; it raises VendorRejected for one that was refused, NotFound
    for one that the vendor no longer knows. `settle_seconds` is how long a job may take whose handle was lost
    because the process died as it came.
    """

    def __init__(
        self,
        instance: str,
        database: Database | None,
        ask: Callable[[str], Awaitable[bool]],
        *,
        settle_seconds: float,
    ) -> None:
        self._instance = instance
        self._ask = ask
        self._writers = Writers(instance, database, settle_seconds)
        self._notes = Notes(instance, database, "job")

    async def submit(self, key: str, body: msgspec.Struct, send: Callable[[], Awaitable[str]]) -> None:
        """Return when the vendor has done what the body asks for; `send` gives the handle, empty if done.

        Raises VendorPending until then, VendorRejected where the job was refused.
        """
        content = content_of(body)
        async with self._writers.exclusive(f"job:{key}") as guard:
            if await self._settle(key) == content:
                return
            async with guard(f"job:{key}"):
                handle = await send()
                if handle:
                    await self._notes.write(key, msgspec.json.encode(Job(handle, content)).decode())
            if handle:
                raise self._pending(key, handle)

    async def settle(self, key: str) -> None:
        """Before what a key makes is read: raises VendorPending while a job may still change it."""
        if await self._notes.read(key) is not None:
            async with self._writers.exclusive(f"job:{key}"):
                await self._settle(key)

    async def _settle(self, key: str) -> str:
        """The content of the job that has just been seen to be done; empty where there is none."""
        noted = await self._notes.read(key)
        if noted is None:
            return ""
        job = msgspec.json.decode(noted, type=Job)
        try:
            done = await self._ask(job.handle)
        except (NotFound, VendorRejected) as problem:
            await self._notes.remove(key)
            if isinstance(problem, NotFound):
                return ""
            raise
        if not done:
            raise self._pending(key, job.handle)
        await self._notes.remove(key)
        return job.content

    def _pending(self, key: str, handle: str) -> VendorPending:
        sentence = f"{self._instance} has not finished the job {handle} for {key}"
        return VendorPending(sentence, handle=handle, instance=self._instance)
