"""Store: answers cached in this process; the least recently used are evicted first."""

from collections import OrderedDict
from dataclasses import dataclass

from gateway.exchange import Header

_OVERHEAD_BYTES = 600  # of an entry's objects, roughly


@dataclass(frozen=True, slots=True)
class CacheEntry:
    """A cached answer, with the generation of its tag and the time (Unix seconds) when it was requested."""

    headers: tuple[Header, ...]
    body: bytes
    generation: int
    asked_at: float

    @property
    def size(self) -> int:
        """How many bytes it takes, roughly."""
        names = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body) + names + _OVERHEAD_BYTES


class Store:
    """An LRU cache of at most `max_bytes` of answers."""

    def __init__(self, max_bytes: int) -> None:
        self.size = 0
        self._max_bytes = max_bytes
        self._entries: OrderedDict[bytes, CacheEntry] = OrderedDict()

    def get(self, key: bytes, generation: int) -> CacheEntry | None:
        """The answer under a key, None when there is none or its tag was invalidated since."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.generation != generation:
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(self, key: bytes, entry: CacheEntry) -> None:
        """Store an answer; evicts others when there is no capacity left."""
        self.drop(key)
        if entry.size > self._max_bytes:
            return
        self._entries[key] = entry
        self.size += entry.size
        while self.size > self._max_bytes:
            self.drop(next(iter(self._entries)))

    def drop(self, key: bytes) -> None:
        """Evict the answer under a key."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size -= entry.size
