"""tests/conformance: a suite that a broken adapter passes is no suite: every mutant is caught."""

import datetime as dt
import importlib
import inspect
import itertools
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from contracts.problems import Problem
from system_apis.app import connector_of
from tests.conformance import listening
from tests.conformance.conftest import every_connector
from tests.conformance.mutants import Mutant, mutants_of
from tests.conformance.mutants.mutating import KNOWN, broken
from tests.conformance.stands import stand_of

SAMPLE = 4
LEAST = 40
CAUGHT = (AssertionError, Problem, RuntimeError, TimeoutError, pytest.fail.Exception)
Suite = Callable[..., Awaitable[None]]


def lacks(vendor: str, mutant: Mutant) -> str:
    """Why a mutant changes nothing at a vendor; empty where it must be caught."""
    golden, connector = stand_of(vendor).golden, connector_of(vendor)
    if mutant.feature in {feature.name for feature in connector.lacks}:
        return f"{connector.title} lacks {mutant.feature}"
    if mutant.needs == "push" and golden.push is None:
        return "it pushes nothing"
    forms = golden.nouns.get(mutant.on.partition("/")[0])
    absent = forms.lacks.get(mutant.field.partition(".")[0], "") if forms else ""
    return absent or golden.unseen.get(mutant.needs, "") or golden.equivalent.get(mutant.name, "")


def mutants() -> Iterator[tuple[str, Mutant]]:
    """Every mutant with each adapter on which it can be seen."""
    for name in every_connector("local"):
        vendor, _, capability = name.split("/")
        for mutant in mutants_of(capability):
            if not lacks(vendor, mutant):
                yield name, mutant


def sampled() -> list[Any]:
    """All of them; all but a few, other ones each day, in the whole suites only."""
    todays = random.Random(dt.datetime.now(dt.UTC).date().toordinal())  # noqa: S311 - a sample
    groups = [list(group) for _, group in itertools.groupby(mutants(), lambda one: one[0])]
    chosen = {id(mutant) for group in groups for _, mutant in todays.sample(group, min(SAMPLE, len(group)))}
    return [
        pytest.param(name, mutant, id=f"{name}: {mutant.name}", marks=() if id(mutant) in chosen else whole)
        for group in groups
        for name, mutant in group
    ]


whole = pytest.mark.whole


@pytest.mark.parametrize(("name", "mutant"), sampled())
async def test_a_broken_adapter_is_caught(
    name: str, mutant: Mutant, open_connector: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the suites that the mutant names fails on it."""
    monkeypatch.setattr(listening, "SECONDS", 3)
    opener = partial(open_connector, wrap=broken(mutant))
    for suite in suites_of(mutant):
        try:
            await run(suite, name, opener)
        except CAUGHT:
            return
    raise AssertionError(f"{mutant.name}: not caught by {', '.join(mutant.by)}")


async def run(suite: Suite, name: str, opener: Any) -> None:
    async with opener(name) as connector:
        more = {"open_connector": opener} if "open_connector" in inspect.signature(suite).parameters else {}
        with suppress(pytest.skip.Exception):
            await suite(connector=connector, **more)


def suites_of(mutant: Mutant) -> Iterator[Suite]:
    """The tests that must see the mutant, with each of their own parameters."""
    for place in mutant.by:
        module, _, wanted = place.partition(".")
        suite = importlib.import_module(f"tests.conformance.test_{module}")
        tests = {name: test for name, test in vars(suite).items() if name.startswith("test_")}
        assert not wanted or wanted in tests, f"{mutant.name} names the suite {place}, which is not there"
        for name, test in tests.items():
            if wanted in ("", name):
                yield from expanded(test)


def expanded(test: Any) -> Iterator[Suite]:
    """The test with every combination of its parameters but the connector."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    own = {mark.args[0]: list(mark.args[1]) for mark in marks if mark.args[0] != "connector"}
    for values in itertools.product(*own.values()):
        yield partial(test, **dict(zip(own, values, strict=True)))


def test_there_are_enough_mutants() -> None:
    """At least forty of every adapter are to be caught; each break is known, each name is there once."""
    for name, group in itertools.groupby(mutants(), lambda one: one[0]):
        names = [mutant.name for _, mutant in group]
        assert len(names) >= LEAST, name
        assert len(set(names)) == len(names), name
    assert {mutant.breaks for _, mutant in mutants()} <= KNOWN


def test_every_reason_is_of_a_mutant() -> None:
    """A stand's equivalent mutants exist, and each has its reason."""
    for name in every_connector("local"):
        vendor, _, capability = name.split("/")
        equivalent = stand_of(vendor).golden.equivalent
        assert equivalent.keys() <= {mutant.name for mutant in mutants_of(capability)}, vendor
        assert all(equivalent.values()), vendor


@whole
async def test_an_equivalent_mutant_changes_nothing(open_connector: Any) -> None:
    """It passes all that it would have to fail: else its reason is no longer true."""
    for name in every_connector("local"):
        vendor, _, capability = name.split("/")
        for mutant in mutants_of(capability):
            if mutant.name in stand_of(vendor).golden.equivalent:
                for suite in suites_of(mutant):
                    await run(suite, name, partial(open_connector, wrap=broken(mutant)))
