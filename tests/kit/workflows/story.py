"""tests/kit/workflows: a small flow over a small vendor, for the tests and for their worker process."""

import os
import signal
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec
from sqlalchemy import text

from contracts.duties import ConflictingDuties, Duties, Duty
from contracts.problems import VendorDoubtful, VendorRejected, VendorUnavailable
from kit import ledger
from kit.database import Database
from kit.http import LOGIN_FAILED
from kit.workflows import Run, WorkflowSettings

# Patient, for the machine may stand still for a while: who tests impatience says so.
QUICK = WorkflowSettings(
    patience=60, first_wait=0.01, longest_wait=0.05, liveness=0.2, sweep=0.2, queue_poll=0.02, drain=5
)
STEPS = ("one", "two", "three")
MOMENTS = ("before", "in-before", "in-after", "after")

DUTIES = Duties(
    duties={name: Duty(name) for name in ("cause-exception", "decide-exception")},
    conflicts=(ConflictingDuties(("cause-exception", "decide-exception"), "who broke it may not judge it"),),
)


class Input(msgspec.Struct):
    name: str
    approval: bool = False


class Made(msgspec.Struct):
    id: int


class Approval(msgspec.Struct):
    by: str


class Vendor:
    """A vendor without unique keys, in a table; it fails as the table `faults` says."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def prepare(self) -> None:
        async with self.database.begin() as connection:
            for statement in (
                "CREATE TABLE public.things (id serial PRIMARY KEY, key text, live boolean DEFAULT true)",
                "CREATE TABLE public.faults (place text PRIMARY KEY, kind text, times int)",
                "CREATE TABLE public.calls (number serial, place text)",
            ):
                await connection.execute(text(statement))

    async def fail(self, place: str, kind: str, times: int = 1) -> None:
        async with self.database.begin() as connection:
            await connection.execute(
                text("INSERT INTO public.faults VALUES (:p, :k, :t)"), {"p": place, "k": kind, "t": times}
            )

    async def create(self, key: str, place: str) -> Made:
        await self._maybe_fail(place)
        async with self.database.begin() as connection:
            made = await connection.execute(
                text("INSERT INTO public.things (key) VALUES (:k) RETURNING id"), {"k": key}
            )
            identity = made.scalar_one()
        await self._maybe_fail(f"{place} late")
        return Made(identity)

    async def find(self, key: str) -> Made | None:
        async with self.database.connect() as connection:
            query = text("SELECT id FROM public.things WHERE key = :k AND live ORDER BY id LIMIT 1")
            identity = (await connection.execute(query, {"k": key})).scalar()
        return Made(identity) if identity else None

    async def remove(self, identity: int, place: str) -> None:
        await self._maybe_fail(f"undo {place}")
        async with self.database.begin() as connection:
            await connection.execute(
                text("UPDATE public.things SET live = false WHERE id = :i"), {"i": identity}
            )

    async def live(self) -> list[str]:
        """The keys of what lives, in order of making."""
        async with self.database.connect() as connection:
            query = "SELECT key FROM public.things WHERE live ORDER BY id"
            return list((await connection.execute(text(query))).scalars())

    async def calls(self) -> list[str]:
        async with self.database.connect() as connection:
            return list(
                (await connection.execute(text("SELECT place FROM public.calls ORDER BY number"))).scalars()
            )

    async def _maybe_fail(self, place: str) -> None:
        async with self.database.begin() as connection:
            await connection.execute(text("INSERT INTO public.calls (place) VALUES (:p)"), {"p": place})
            query = text(
                "UPDATE public.faults SET times = times - 1 WHERE place = :p AND times > 0 RETURNING kind"
            )
            kind = (await connection.execute(query, {"p": place})).scalar()
        if kind is not None:
            raise FAULTS[kind]("the vendor says " + kind)


def _login_failed(detail: str) -> Exception:
    return VendorRejected(detail, instance="vendor-1", extra={LOGIN_FAILED: True})


FAULTS: dict[str, Callable[[str], Exception]] = {
    "login": _login_failed,
    "rejected": VendorRejected,
    "unavailable": VendorUnavailable,
    "doubtful": VendorDoubtful,
    "bug": RuntimeError,
}


class Story:
    """Three things are made through the ledger, with an approval before the last if asked for."""

    name = "story"
    input = Input

    def __init__(
        self,
        vendor: Vendor,
        on_failure: Literal["park", "undo"] = "park",
        *,
        reached: Callable[[str], Awaitable[None]] | None = None,
        with_more: bool = False,
    ) -> None:
        self.on_failure: Literal["park", "undo"] = on_failure
        self._vendor = vendor
        self._reached = reached or _nowhere
        self._with_more = with_more

    async def run(self, run: Run) -> None:
        for place in STEPS:
            if place == "three" and run.input.approval:
                await run.wait("approval", Approval, title="Approval", status_text="Waits for approval")
                if self._with_more and await run.patched("more"):
                    await self._make(run, "more")
            await self._reached(f"{place} before")
            await self._make(run, place)
            await self._reached(f"{place} after")

    async def _make(self, run: Run, place: str) -> None:
        async def do() -> Made:
            if run.corrections.get("name", run.input.name) == "wrong" and place == "two":
                raise VendorRejected("the name is wrong", instance="vendor-1")
            return await ledger.once(
                self._vendor.database,
                source=run.id,
                revision=1,
                target=place,
                key=f"{run.id}/{place}",
                do=create,
                find=lambda: self._vendor.find(f"{run.id}/{place}"),
                returns=Made,
                wait_out=0.1,
            )

        async def create() -> Made:
            await self._reached(f"{place} in-before")
            made = await self._vendor.create(f"{run.id}/{place}", place)
            await self._reached(f"{place} in-after")
            return made

        async def undo(made: Made) -> None:
            await self._vendor.remove(made.id, place)
            await ledger.undone(self._vendor.database, source=run.id, revision=1, target=place)

        await run.step(
            place,
            f"Make {place}",
            do,
            returns=Made,
            undo=undo,
            find=lambda: self._vendor.find(f"{run.id}/{place}"),
        )


async def _nowhere(_: str) -> None:
    """Nothing happens at any point."""


def dies_at(point: str) -> Callable[[str], Awaitable[None]]:
    """At one point of the story the process is gone, as if by the kernel."""

    async def reached(place: str) -> None:
        if place == point:
            print(f"dies at {place}", flush=True)  # noqa: T201 - the parent waits for this line
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


def pauses_at(point: str) -> Callable[[str], Awaitable[None]]:
    """At one point of the story the whole process stands still until somebody lets it go on."""

    async def reached(place: str) -> None:
        if place == point:
            print(f"pauses at {place}", flush=True)  # noqa: T201 - the parent waits for this line
            os.kill(os.getpid(), signal.SIGSTOP)

    return reached
