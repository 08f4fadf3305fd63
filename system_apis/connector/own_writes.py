"""system_apis: our last write of each record, so that the change which it causes is recognised as our own."""

import datetime as dt
from collections import OrderedDict
from typing import Any

from contracts.events.kinds import RecordChanged
from kit.cache import Cache
from system_apis.connector.values import second_of

_MOST_REMEMBERED = 50_000
_DAY = 86_400


class OwnWrites:
    """The instants of our last writes; with a cache all processes share them."""

    def __init__(self, instance: str, cache: Cache | None) -> None:
        self._instance = instance
        self._cache = cache
        self._here: OrderedDict[str, str] = OrderedDict()

    async def wrote(self, noun: str, ident: str, changed: dt.datetime) -> None:
        """Record for a day that this change of the record is ours."""
        name, version = self._name(noun, ident), second_of(changed)
        if self._cache is None:
            self._here[name] = version
            if len(self._here) > _MOST_REMEMBERED:
                self._here.popitem(last=False)
            return
        await self._cache.ask("echoes", lambda client: client.set(name, version, ex=_DAY), otherwise=None)

    async def is_ours(self, noun: str, ident: str, changed: dt.datetime) -> bool:
        """Whether our own write made this change. In doubt False: reading a record twice does no harm."""
        name = self._name(noun, ident)
        if self._cache is None:
            return self._here.get(name) == second_of(changed)
        version = await self._cache.ask("echoes", lambda client: client.get(name), otherwise=None)
        return version is not None and version.decode() == second_of(changed)

    async def change(self, noun: Any, ident: str, changed: dt.datetime) -> RecordChanged:
        """A change of a record that states no more than its instant, with whether it is ours."""
        ours = await self.is_ours(noun, ident, changed)
        version = second_of(changed)
        return RecordChanged(self._instance, noun, ident, version, changed_at=changed, by_us=ours)

    def _name(self, noun: str, ident: str) -> str:
        return f"enfilade:{{{self._instance}}}:wrote:{noun}:{ident}"
