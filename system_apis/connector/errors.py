"""system_apis: a vendor's refusals in our taxonomy, by one table per vendor.

Its own sentence is shown only where the firm wrote it for its people, and then marked (`quoted`).
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from contracts.canonical.exception import OPERATIONS
from contracts.problems import ContractViolation, Fault, Problem, VendorRejected
from kit.http import VendorAnswer
from kit.texts import UNSEEN

T = TypeVar("T")

ALREADY_EXISTS = "already_exists"
"""The code of a fault: another record has the same unique value."""

LONGEST_WORDS = 300

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,120}")


class Meaning(NamedTuple):
    """One line of an error table: the answers that it fits, and the problem to raise.

    A line fits a status (0: any), a code (empty: any) and a pattern of the vendor's sentence (empty: any).
    `fault` is our code of the faults that go along; without one there are the vendor's own codes. `wait` is
    after how many seconds to retry; `nothing_done`: also a 5xx answer certainly had no effect. `ours`:
    our login, permission or profile is at fault. `quotes`: its text is the firm's own, for its people.
    """

    problem: type[Problem]
    sentence: str
    status: int = 0
    code: str = ""
    text: str = ""
    fault: str = ""
    wait: float | None = None
    nothing_done: bool = False
    ours: bool = False
    quotes: bool = False


class Refusal(NamedTuple):
    """One error of an answer, as the vendor states it."""

    code: str = ""
    text: str = ""
    fields: tuple[str, ...] = ()


class Origin(NamedTuple):
    """The answer that a problem comes from."""

    instance: str
    vendor_request_id: str
    status: int

    @classmethod
    def of(cls, answer: VendorAnswer, status: int | None = None) -> "Origin":
        """`status` is that of a part of the answer, where it differs."""
        return cls(answer.instance, answer.request_id, status or answer.status)


def meaning_of(table: Iterable[Meaning], status: int, refusal: Refusal) -> Meaning | None:
    """The first line that fits."""
    return next((line for line in table if _fits(line, status, refusal)), None)


def _fits(line: Meaning, status: int, refusal: Refusal) -> bool:
    return (
        line.status in (0, status)
        and line.code in ("", refusal.code)
        and (not line.text or re.search(line.text, refusal.text, re.IGNORECASE) is not None)
    )


def problem_of(
    origin: Origin,
    meaning: Meaning,
    faults: Sequence[Fault] = (),
    *,
    context: str = "",
    text: str = "",
) -> Problem:
    """The problem of a line of the table; `context` completes its sentence, `text` is the vendor's own."""
    if meaning.fault and not faults:
        faults = (Fault("", meaning.sentence, meaning.fault),)
    more: dict[str, Any] = {"nothing_done": True} if meaning.nothing_done else {}
    if meaning.ours:
        more["extra"] = {"owner": OPERATIONS}
    return meaning.problem(
        f"{origin.instance}: {meaning.sentence}{f' ({context})' if context else ''}"
        f"{f'. It says: {quoted(text)}' if meaning.quotes and quoted(text) else ''}",
        instance=origin.instance,
        vendor_request_id=origin.vendor_request_id,
        errors=tuple(faults),
        retry_after=meaning.wait,
        **more,
    )


def quoted(text: str) -> str:
    """A vendor's words as data: in quotation marks, in one line, bounded; empty where there are none."""
    words = " ".join(UNSEEN.sub(" ", text).split()).replace("“", '"').replace("”", '"')
    return f"“{words[:LONGEST_WORDS]}{'…' if len(words) > LONGEST_WORDS else ''}”" if words else ""


def faults_of(refusal: Refusal, sentence: str, code: str) -> list[Fault]:
    """A fault for each field that a refusal names; what is no field's name is left out."""
    names = [name for name in refusal.fields if _FIELD.fullmatch(name)]
    return [Fault(f"/{name}", sentence, code, field=name) for name in names]


@contextmanager
def on_schema(instance: str, what: str) -> Iterator[None]:
    """Raises ContractViolation where the block finds that something is off the vendor's schema."""
    try:
        yield
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        detail = f"{instance}: {what} does not match its schema ({type(error).__name__})"
        raise ContractViolation(detail, instance=instance) from None


def already_exists(problem: Problem) -> bool:
    """Whether the account refused because a unique value is there already."""
    return any(fault.code == ALREADY_EXISTS for fault in problem.errors)


async def created_or_changed(write: Callable[[], Awaitable[T]]) -> T:
    """What an upsert returns; of two creations at once the second is refused, and then is a change."""
    try:
        return await write()
    except VendorRejected as problem:
        if not already_exists(problem):
            raise
    return await write()
