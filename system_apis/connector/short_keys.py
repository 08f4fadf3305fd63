"""system_apis: keys for a vendor whose external references are too short for ours."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from contracts.canonical.values import short_key


class ShortKeys:
    """An adapter that is given every key as its vendor can store it."""

    def __init__(self, adapter: Any, most: int) -> None:
        self._adapter = adapter
        self._most = most

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        operation = getattr(self._adapter, name)
        signature = inspect.signature(operation)
        if "key" not in signature.parameters:
            return operation

        async def keyed(*arguments: Any, **named: Any) -> Any:
            given = signature.bind(*arguments, **named).arguments
            return await operation(**{**given, "key": short_key(given["key"], self._most)})

        return keyed
