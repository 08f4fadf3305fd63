"""tests/conformance: the tests of nouns that are created under a key, whatever the capability."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conformance.common import LOST, Put, made_at_once_is_one, makes_one, survives, tells_doubt
from tests.conformance.conftest import ConnectorUnderTest

Actions = Callable[[ConnectorUnderTest, str], Awaitable[tuple[Put, Put]]]
"""How a noun is put and got, under a key of its own."""


def keyed(nouns: tuple[str, ...], actions: Actions) -> tuple[Any, Any, Any, Any]:
    """A test each: put again, put at once, put without an answer, and in doubt; a module gives them names."""
    each_noun = pytest.mark.parametrize("noun", nouns)

    @each_noun
    async def test_again(connector: ConnectorUnderTest, noun: str) -> None:
        """Again, at once, from another process: one object, the same answer, found by its key."""
        await makes_one(connector, noun, *(await actions(connector, noun)))

    @each_noun
    async def test_at_once(connector: ConnectorUnderTest, noun: str) -> None:
        """Nobody is first, and still there is one."""
        put, _ = await actions(connector, noun)
        await made_at_once_is_one(connector, noun, put)

    @pytest.mark.parametrize("effect", LOST.values(), ids=LOST)
    @each_noun
    async def test_lost(connector: ConnectorUnderTest, noun: str, effect: dict[str, Any]) -> None:
        """Before or after the effect, late, throttled, logged out: one in the end."""
        await survives(connector, noun, *(await actions(connector, noun)), effect)

    @each_noun
    async def test_doubt(connector: ConnectorUnderTest, noun: str) -> None:
        """It may be done."""
        put, _ = await actions(connector, noun)
        await tells_doubt(connector, connector.noun(noun).creates, lambda: put(connector.api))

    return test_again, test_at_once, test_lost, test_doubt
