"""tests/conformance: breaks an open instance as a mutant says, at its interfaces, whatever the vendor."""

import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Mapping
from fnmatch import fnmatch
from functools import partial
from typing import Any, get_type_hints

import msgspec

from contracts.operation import Feature
from system_apis.app import Instance, interface_of
from tests.conformance.mutants import Mutant, nouns, operations
from tests.conformance.mutants.surroundings import (
    CHECKS,
    PUSHES,
    SOURCES,
    BrokenSource,
    BrokenWebhook,
    broken_check,
)
from tests.conformance.nouns import NOUNS


class Broken:
    """An open instance, broken at one of its interfaces."""

    def __init__(self, opened: Any, mutant: Mutant) -> None:
        self._opened, self._mutant = opened, mutant

    @property
    def capabilities(self) -> Mapping[str, Any]:
        return {
            name: BrokenAdapter(adapter, name, self._mutant)
            for name, adapter in self._opened.capabilities.items()
        }

    @property
    def changes(self) -> tuple[Any, ...]:
        sources = self._opened.changes
        if self._mutant.breaks not in SOURCES:
            return sources
        return tuple(BrokenSource(source, self._mutant) for source in sources)

    @property
    def webhook(self) -> Any:
        webhook = self._opened.webhook
        return BrokenWebhook(webhook, self._mutant) if webhook and self._mutant.breaks in PUSHES else webhook

    async def check(self) -> Any:
        if self._mutant.breaks in CHECKS:
            return await broken_check(self._opened.check, self._mutant)
        return await self._opened.check()


class BrokenAdapter:
    """An adapter whose operations are broken where the mutant says so."""

    def __init__(self, adapter: Any, capability: str, mutant: Mutant) -> None:
        self._adapter, self._mutant = adapter, mutant
        self._interface, self._nouns = interface_of(capability), NOUNS[capability]
        self._stale = operations.Stale()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        genuine, declared = getattr(self._adapter, name), getattr(self._interface, name)
        signature, answer = inspect.signature(declared), get_type_hints(declared)["return"]

        async def operation(*arguments: Any, **named: Any) -> Any:
            given = dict(signature.bind(None, *arguments, **named).arguments)
            given.pop("self")
            return await self._call(name, lambda changed: genuine(**changed), given, answer)

        return operation

    async def _call(self, name: str, call: Any, given: dict[str, Any], answer: type) -> Any:
        mutant = self._mutant
        if mutant.breaks.startswith("body-") and fnmatch(name, mutant.on):
            return await call({**given, "body": nouns.broken(given["body"], mutant)})
        if mutant.breaks in nouns.BREAKS:
            return self._noun(await call(given), mutant)
        if not fnmatch(name, mutant.on):
            return await call(given)
        if mutant.breaks == "pretends":
            read = getattr(self._adapter, str(mutant.field))
            found = await read(*(value for key, value in given.items() if key != "body"))
            return msgspec.structs.replace(found, **(mutant.value or {}))
        if mutant.breaks == "stale":
            return await self._stale(call, given, answer)
        change = operations.BREAKS.get(mutant.breaks)
        return await (change(call, given, mutant, answer) if change else call(given))

    def _noun(self, found: Any, mutant: Mutant) -> Any:
        """The nouns of the mutant's kind, broken, alone and on a page; ``name/list`` means on a page only."""
        name, _, where = mutant.on.partition("/")
        struct = self._nouns[name].struct if name in self._nouns else None
        if isinstance(found, struct or ()) and where != "list":
            return nouns.broken(found, mutant)
        items = getattr(found, "items", None)
        if (
            isinstance(items, tuple)
            and where != "single"
            and all(isinstance(one, struct or ()) for one in items)
        ):
            return msgspec.structs.replace(found, items=tuple(nouns.broken(one, mutant) for one in items))
        return found


def broken(mutant: Mutant) -> Callable[[Instance], Instance]:
    """What breaks an instance."""
    return partial(_broken, mutant=mutant)


def _broken(instance: Instance, mutant: Mutant) -> Instance:
    if mutant.breaks == "lacks":
        lacks = frozenset({Feature(mutant.field, "without it")})
        return dataclasses.replace(instance, connector=dataclasses.replace(instance.connector, lacks=lacks))
    opened: Any = Broken(instance.opened, mutant)
    return dataclasses.replace(instance, opened=opened)


KNOWN = {
    *nouns.BREAKS,
    *(f"body-{name}" for name in nouns.BREAKS),
    *operations.BREAKS,
    *SOURCES,
    *PUSHES,
    *CHECKS,
    "lacks",
    "pretends",
    "stale",
}
"""Every break that a mutant may name."""
