"""Keeping: the policy by which a process goes, which change of it was refused, and the watch for the next."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.rulebook import Rulebook, placed
from gateway.rulebook.watching import Watcher
from kit import clock
from kit.background import run_background, stop_background
from kit.settings import SettingsError
from kit.telemetry import Sample, gauge, log, meter

Part = Callable[[Rulebook], Callable[[], None]]
"""Makes ready, in a thread, what a part of the process needs of a rulebook; gives what puts it in force.

Raises SettingsError for a rulebook that does not fit there. What it gives runs where requests run, at once.
"""

_log = log(__name__)
_refusals = meter(__name__).create_counter(
    "enfilade.gateway.policy.refused", description="Changes of the policy files that were refused whole"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A change of the policy files that was not put in force, and every reason."""

    at: dt.datetime
    faults: list[str]


class Keeper:
    """Keeps one rulebook in force in all `parts` of the process, which have it in force already.

    A change in `folder`, looked for every `look_seconds`, is put in force in all of them or in none.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        parts: Iterable[Part],
        *,
        folder: Path | None = None,
        look_seconds: float = 1.0,
    ) -> None:
        self.rulebook = rulebook
        self.refused: Refusal | None = None
        self._parts = tuple(parts)
        self._watcher = Watcher(folder, self.adopt, self.refuse, look_seconds) if folder else None
        self._watching: asyncio.Task[None] | None = None
        gauge("enfilade.gateway.policy.in_force", "The policy in force, by its digest", self._tell)

    async def adopt(self, rulebook: Rulebook) -> None:
        """Put a rulebook in force, whole, for what begins from now on.

        Raises SettingsError for a rulebook that does not fit some part; the one in force then stays.
        """
        if rulebook.digest == self.rulebook.digest:
            self.rulebook = replace(rulebook, since=self.rulebook.since)
            self.refused = None
            return
        made = await asyncio.to_thread(self._prepare, rulebook)
        for put_in_force in made:
            put_in_force()
        self.rulebook = rulebook
        self.refused = None
        _log.info("policy in force", digest=rulebook.digest, folder=str(rulebook.folder))

    def _prepare(self, rulebook: Rulebook) -> list[Callable[[], None]]:
        made: list[Callable[[], None]] = []
        faults: list[str] = []
        for part in self._parts:
            try:
                made.append(part(rulebook))
            except SettingsError as error:
                faults += placed(rulebook, error).faults
            except Exception as error:  # noqa: BLE001 - whatever it is, the policy in force stays
                faults.append(f"{rulebook.folder}: cannot be put in force: {error}")
        if faults:
            raise SettingsError(list(dict.fromkeys(faults)))
        return made

    def refuse(self, error: SettingsError) -> None:
        """Note that a change of the policy files is not put in force."""
        self.refused = Refusal(clock.now(), error.faults)
        _refusals.add(1)
        _log.error("policy refused", in_force=self.rulebook.digest, faults=error.faults)

    def waiting(self) -> list[str]:
        """The other files of the folder that have changed and that only a restart reads again."""
        return self._watcher.waiting() if self._watcher is not None else []

    async def start(self) -> None:
        """Look at the files once, and from then on in the background."""
        if self._watcher is not None:
            await self._watcher.look()
            self._watching = run_background("watching of the policy files", self._watcher.run)

    async def close(self) -> None:
        """Look no more."""
        await stop_background(self._watching)

    def _tell(self) -> list[Sample]:
        return [Sample(1, {"digest": self.rulebook.digest, "refused": str(self.refused is not None).lower()})]
