"""system_apis: an instance that cannot be opened: it reports what to correct, and the others serve."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from contracts.problems import VendorUnavailable
from contracts.system.instance import Finding, InstanceReport
from kit.secrets import SecretError, resolve
from system_apis.connector.declaration import ChangeSource, Profile
from system_apis.connector.webhooks import RefusingReceiver

FIX = "correct the profile or the variable, then restart"


def unresolved_references(profile: Profile, environ: Mapping[str, str]) -> list[str]:
    """Every reference of a profile that leads to nothing, with its place; never a value."""
    faults: list[str] = []
    for place, text in _texts(msgspec.to_builtins(profile)):
        if text.startswith(("env:", "file:")):
            try:
                resolve(text, environ)
            except SecretError as error:
                faults.append(f"{place}: {error}")
    return faults


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(each, f"{place}.{name}".lstrip("."))
    elif isinstance(value, Sequence):
        for number, each in enumerate(value):
            yield from _texts(each, f"{place}[{number}]")


class ClosedInstance:
    """Replaces an open instance: every call is answered 503 with what is to be corrected."""

    changes: tuple[ChangeSource, ...] = ()

    def __init__(self, profile: Profile, faults: Iterable[str]) -> None:
        self._profile = profile
        self.faults = tuple(faults)
        adapter = _Refusing(self._refuse)
        self.capabilities: Mapping[str, Any] = dict.fromkeys(profile.capabilities, adapter)
        self.webhook = RefusingReceiver(self._refuse)

    async def check(self) -> InstanceReport:
        """Each fault as a finding."""
        findings = tuple(
            Finding("login", "profile", ok=False, detail=fault, fix=FIX) for fault in self.faults
        )
        return InstanceReport(self._profile.name, self._profile.vendor, self._profile.environment, findings)

    def _refuse(self) -> NoReturn:
        faults = "; ".join(self.faults)
        raise VendorUnavailable(
            f"{self._profile.name} is not open ({faults}): {FIX}",
            instance=self._profile.name,
            nothing_done=True,
        )


class _Refusing:
    """Has every operation of every interface, and refuses each."""

    def __init__(self, refuse: Callable[[], NoReturn]) -> None:
        self._refuse = refuse

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def operation(*_: Any, **__: Any) -> Any:
            self._refuse()

        return operation
