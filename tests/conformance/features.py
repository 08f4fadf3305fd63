"""tests/conformance: the optional features of each capability: what an instance without one is not asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from contracts.operation import Feature
from contracts.problems import VendorPending
from contracts.system.crm import PRECONDITION
from contracts.system.erp import BILLING_SCHEDULE


class Part(NamedTuple):
    """The part of a noun that a feature is about: given by a `field` of a body, read as `reads`."""

    feature: Feature
    field: str
    noun: str
    reads: str = ""


PARTS = (
    Part(BILLING_SCHEDULE, "billing_schedule", "contract", "billing_schedule"),
    Part(PRECONDITION, "only_while", "opportunity"),
)


def needs(lacks: tuple[str, ...], feature: Feature) -> None:
    """Skip the test, and say why, for an instance that lacks the feature."""
    if feature.name in lacks:
        pytest.skip(f"lacks {feature.name}: {feature.without}")


class Patient:
    """An adapter of a vendor that answers later, as a durable step calls it: again while it is pending."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        operation = getattr(self._api, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            async with asyncio.timeout(20):
                while True:
                    try:
                        return await operation(*arguments, **named)
                    except VendorPending:
                        continue

        return call


class GivenWithout:
    """An adapter that is given, as by the flows, nothing of the features that its instance lacks."""

    def __init__(self, api: Any, lacks: tuple[str, ...]) -> None:
        self._api, self._lacks = api, lacks

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        operation = getattr(self._api, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            return await operation(
                *map(self._without, arguments), **{key: self._without(value) for key, value in named.items()}
            )

        return call

    def _without(self, value: Any) -> Any:
        if not isinstance(value, msgspec.Struct):
            return value
        absent = {part.field for part in PARTS if part.feature.name in self._lacks}
        fields = [field for field in msgspec.structs.fields(type(value)) if field.name in absent]
        return msgspec.structs.replace(value, **{field.name: field.default for field in fields})
