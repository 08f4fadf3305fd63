"""tests/conformance: what may be wrong in an operation of an adapter, whatever it gives."""

import datetime as dt
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

import contracts.problems
from contracts.problems import ContractViolation, Problem
from tests.conformance.common import MARK
from tests.conformance.mutants import Mutant

Arguments = dict[str, Any]
Call = Callable[[Arguments], Awaitable[Any]]
_NUMBERS = itertools.count(1)


def _page(answer: type, *items: Any) -> Any:
    return answer(items=items)


async def _swallow(call: Call, given: Arguments, mutant: Mutant, answer: type) -> Any:
    """An error is an empty page."""
    try:
        return await call(given)
    except _kind(mutant.field or "Problem"):
        return _page(answer)


async def _becomes(call: Call, given: Arguments, mutant: Mutant, _: type) -> Any:
    """An error is another error, or a crash."""
    try:
        return await call(given)
    except Problem as problem:
        if type(problem) is not _kind(mutant.field):
            raise
        if mutant.value == "crash":
            raise RuntimeError("the adapter broke") from problem
        raise _kind(mutant.value)(problem.detail, extra=problem.extra) from problem


async def _leaks(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    try:
        return await call(given)
    except Problem as problem:
        problem.detail = f"{problem.detail}: {MARK}"
        raise


async def _anonymous(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """Nobody learns which vendor failed."""
    try:
        return await call(given)
    except Problem as problem:
        raise type(problem)("the vendor did not do it") from problem


async def _without(call: Call, given: Arguments, mutant: Mutant, _: type) -> Any:
    return await call({name: value for name, value in given.items() if name != mutant.field})


async def _with(call: Call, given: Arguments, mutant: Mutant, _: type) -> Any:
    return await call({**given, mutant.field: mutant.value})


async def _later(call: Call, given: Arguments, mutant: Mutant, _: type) -> Any:
    """An instant that is asked for is moved by so many seconds."""
    moved = {
        name: value + dt.timedelta(seconds=mutant.value) if isinstance(value, dt.datetime) else value
        for name, value in given.items()
    }
    return await call(moved)


async def _twice(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    await call(given)
    return await call(given)


async def _anew(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """Each write is under a key of its own."""
    return await call({**given, "key": f"{given['key']}-{next(_NUMBERS)}"})


async def _also(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """Each write creates another record beside it."""
    await call({**given, "key": f"{given['key']}-{next(_NUMBERS)}"})
    return await call(given)


async def _ends(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    return msgspec.structs.replace(await call(given), next_cursor=None)


async def _ends_long(call: Call, given: Arguments, mutant: Mutant, _: type) -> Any:
    """A list ends after a page of so many."""
    page = await call(given)
    return msgspec.structs.replace(page, next_cursor=None) if len(page.items) >= mutant.value else page


async def _short(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """The last of each page is lost."""
    page = await call(given)
    return msgspec.structs.replace(page, items=page.items[:-1])


async def _repeats(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    page = await call(given)
    return msgspec.structs.replace(page, items=(*page.items, *page.items[:1]))


async def _endless(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """Each page promises another, which is the same."""
    page = await call({name: value for name, value in given.items() if name != "cursor"})
    return msgspec.structs.replace(page, next_cursor=f"c{next(_NUMBERS)}")


async def _hollow(call: Call, given: Arguments, _: Mutant, answer: type) -> Any:
    return _page(answer)


async def _stops_at_odd(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """One odd record spoils the whole page."""
    page = await call(given)
    if page.left_out:
        raise ContractViolation("a page is off its schema")
    return page


async def _silent(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """What is left out is not named."""
    return msgspec.structs.replace(await call(given), left_out=())


async def _backwards(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    page = await call(given)
    return msgspec.structs.replace(page, items=page.items[::-1])


async def _skips_ties(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """A later page begins after the instant of the last one, whatever else has the same."""
    page = await call(given)
    if given.get("cursor") is None or len(page.items) < 2:
        return page
    first = page.items[0].updated_at
    return msgspec.structs.replace(page, items=tuple(one for one in page.items if one.updated_at != first))


async def _longer(call: Call, given: Arguments, _: Mutant, __: type) -> Any:
    """A page has one more than was asked for."""
    return await call({**given, "limit": min(200, given.get("limit", 50) + 1)})


class Stale:
    """Each record is as it was when it was first read."""

    def __init__(self) -> None:
        self._answers: dict[str, Any] = {}

    async def __call__(self, call: Call, given: Arguments, answer: type) -> Any:
        name = f"{answer.__name__} {sorted(given.items())}"
        if name not in self._answers:
            self._answers[name] = await call(given)
        return self._answers[name]


BREAKS: dict[str, Callable[..., Awaitable[Any]]] = {
    "swallow": _swallow,
    "becomes": _becomes,
    "leaks": _leaks,
    "anonymous": _anonymous,
    "without": _without,
    "with": _with,
    "later": _later,
    "twice": _twice,
    "anew": _anew,
    "also": _also,
    "ends": _ends,
    "ends-long": _ends_long,
    "short": _short,
    "repeats": _repeats,
    "endless": _endless,
    "hollow": _hollow,
    "stops-at-odd": _stops_at_odd,
    "silent": _silent,
    "backwards": _backwards,
    "skips-ties": _skips_ties,
    "longer": _longer,
}


def _kind(name: str) -> type[Problem]:
    return getattr(contracts.problems, name)
