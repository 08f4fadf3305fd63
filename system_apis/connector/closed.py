"""system_apis: an instance that cannot be opened: it reports what to correct, and the others serve."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from contracts.problems import VendorUnavailable
from contracts.system.instance import Finding
from kit.secrets import SecretError, resolve
from system_apis.connector.checks import Step
from system_apis.connector.declaration import Delivery
from system_apis.connector.findings import wrong
from system_apis.connector.instance import OpenInstance
from system_apis.connector.profile import Profile

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


def closed_instance(profile: Profile, faults: Iterable[str]) -> OpenInstance:
    """Replaces an open instance: each call is answered 503 with what is to be corrected; a check lists it."""
    reasons = tuple(faults)

    def refuse() -> NoReturn:
        raise VendorUnavailable(
            f"{profile.name} is not open ({'; '.join(reasons)}): {FIX}",
            instance=profile.name,
            nothing_done=True,
        )

    async def report() -> list[Finding]:
        return [wrong("login", "profile", fault, FIX) for fault in reasons]

    adapter = _Refusing(refuse)
    return OpenInstance(
        profile=profile,
        capabilities=dict.fromkeys(profile.capabilities, adapter),
        webhook=adapter,
        steps=lambda: [Step("login", "profile", report)],
    )


class _Refusing:
    """Has every operation of every interface, and refuses each."""

    def __init__(self, refuse: Callable[[], NoReturn]) -> None:
        self._refuse = refuse

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def operation(*_: Any, **__: Any) -> Any:
            self._refuse()

        return operation

    async def verify(self, headers: Mapping[str, str], body: bytes) -> tuple[Delivery, ...]:  # noqa: ARG002
        self._refuse()
