"""system_apis: what is read of an account once and used often: its fields, its roles, its own user."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class ReadOnce(Generic[T]):
    """A value that one caller reads for all, again after `seconds`, or after `forget`."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, seconds: float = math.inf) -> None:
        self._read = read
        self._seconds = seconds
        self._value: list[T] = []
        self._until = 0.0
        self._one = asyncio.Lock()

    async def get(self) -> T:
        async with self._one:
            if not self._value or time.monotonic() >= self._until:
                self._value = [await self._read()]
                self._until = time.monotonic() + self._seconds
            return self._value[0]

    @contextmanager
    def refreshed_after(self, kind: type[Exception]) -> Iterator[None]:
        """After such an error the value is read again: what the account lacked may have been added since."""
        try:
            yield
        except kind:
            self.forget()
            raise

    def forget(self) -> None:
        """The next use reads what was changed since."""
        self._value = []
