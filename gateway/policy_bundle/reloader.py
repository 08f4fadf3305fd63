"""The current policy of a process, its reload when files change, and the last refused change."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.policy_bundle import PolicyBundle, placed
from gateway.policy_bundle.file_watcher import Watcher
from kit import clock
from kit.background import run_background, stop_background
from kit.settings import SettingsError
from kit.telemetry import Sample, gauge, log, meter

Participant = Callable[[PolicyBundle], Callable[[], None]]
"""Prepares a policy bundle for a part of the process, in a thread; returns a function that activates it.

Raises SettingsError for a policy bundle that does not fit there. The function runs in the event loop.
"""

_log = log(__name__)
_refusals = meter(__name__).create_counter(
    "enfilade.gateway.policy.refused", description="Changes of the policy files that were refused whole"
)


@dataclass(frozen=True, slots=True)
class RefusedBundle:
    """A refused change of the policy files, with every reason."""

    at: dt.datetime
    faults: list[str]


class PolicyReloader:
    """Holds the current policy bundle, which all `participants` of the process already use.

    A change in `folder`, which is polled every `look_seconds`, is activated in all of them or in none.
    """

    def __init__(
        self,
        bundle: PolicyBundle,
        participants: Iterable[Participant],
        *,
        folder: Path | None = None,
        look_seconds: float = 1.0,
    ) -> None:
        self.bundle = bundle
        self.refused: RefusedBundle | None = None
        self._participants = tuple(participants)
        self._watcher = Watcher(folder, self.adopt, self.refuse, look_seconds) if folder else None
        self._watching: asyncio.Task[None] | None = None
        gauge("enfilade.gateway.policy.current", "The policy in force, by its digest", self._samples)

    async def adopt(self, bundle: PolicyBundle) -> None:
        """Activate a whole policy bundle for new requests.

        Raises SettingsError when it does not fit a participant; the current one then stays.
        """
        if bundle.digest == self.bundle.digest:
            self.bundle = replace(bundle, since=self.bundle.since)
            self.refused = None
            return
        activations = await asyncio.to_thread(self._prepare, bundle)
        for activate in activations:
            activate()
        self.bundle = bundle
        self.refused = None
        _log.info("policy in force", digest=bundle.digest, folder=str(bundle.folder))

    def _prepare(self, bundle: PolicyBundle) -> list[Callable[[], None]]:
        activations: list[Callable[[], None]] = []
        faults: list[str] = []
        for participant in self._participants:
            try:
                activations.append(participant(bundle))
            except SettingsError as error:
                faults += placed(bundle, error).faults
            except Exception as error:  # noqa: BLE001 - the current policy stays, whatever failed
                faults.append(f"{bundle.folder}: cannot be put in force: {error}")
        if faults:
            raise SettingsError(list(dict.fromkeys(faults)))
        return activations

    def refuse(self, error: SettingsError) -> None:
        """Record and log a refused change of the policy files."""
        self.refused = RefusedBundle(clock.now(), error.faults)
        _refusals.add(1)
        _log.error("policy refused", in_force=self.bundle.digest, faults=error.faults)

    def waiting(self) -> list[str]:
        """The other files of the folder that have changed and that only a restart rereads."""
        return self._watcher.waiting() if self._watcher is not None else []

    async def start(self) -> None:
        """Poll the files once, and from then on in the background."""
        if self._watcher is not None:
            await self._watcher.look()
            self._watching = run_background("watching of the policy files", self._watcher.run)

    async def close(self) -> None:
        """Stop polling."""
        await stop_background(self._watching)

    def _samples(self) -> list[Sample]:
        return [Sample(1, {"digest": self.bundle.digest, "refused": str(self.refused is not None).lower()})]
