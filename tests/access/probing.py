"""tests/access: whoever asks for others' rows in every way that an API has, and what it may not find out.

The probes are made from the APIs' documents: for every operation, each id of others in path, query and body.
An answer leaks when it contains what only others' rows contain, or differs from that for ids that nobody has.
"""

import base64
import itertools
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.access.examples import example, properties

Words = dict[str, tuple[str, ...]]
_NUMBERS = itertools.count(1)
_OCCURRENCE = re.compile(r"cor_[0-9a-z]{26}")
_CURSOR = re.compile(r'"next_cursor":"([A-Za-z0-9_\-=]+)"')
# A cursor begins with a digest of the filters, which differ where others' ids are asked for.
_BINDING = re.compile(r'(?<="next_cursor":")c[A-Za-z0-9_\-]{11}')
_FEW = 4  # ids of one kind in a filter
_VARIES = {
    *("connection", "content-length", "correlation-id", "date"),
    *("ratelimit", "ratelimit-policy", "retry-after"),
}


@dataclass(frozen=True)
class World:
    """Somebody's rows: the ids by which they are asked for, and what is found nowhere else.

    `fakes` gives for each id one of the same shape that nobody has.
    """

    name: str
    words: Words
    fakes: dict[str, str]
    marks: frozenset[str]

    def fake(self, text: str, asked: str = "") -> str:
        """The text with nobody's ids in place of this world's, or of those that were asked for."""
        for real in sorted(self.fakes, key=len, reverse=True):
            if not asked or real in asked:
                text = text.replace(real, self.fakes[real])
        return text

    def marks_in(self, text: str) -> set[str]:
        return {mark for mark in self.marks if mark in text and _stands_alone(mark, text)}


def _stands_alone(mark: str, text: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(mark)}(?![A-Za-z0-9])", text) is not None


@dataclass(frozen=True)
class Persona:
    """Somebody who calls, and whose rows he may see."""

    name: str
    token: str
    owns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Target:
    """An operation where it stands, as its document describes it."""

    name: str
    method: str
    path: str
    shape: dict[str, Any]
    components: dict[str, Any]

    @property
    def body(self) -> dict[str, Any] | None:
        content = self.shape.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")

    @property
    def of_system(self) -> bool:
        """Whether it is about a vendor's records, which are refused alike: one probe of each will do."""
        return self.path.startswith("/system/")

    def parameters(self, place: str) -> list[str]:
        return [item["name"] for item in self.shape.get("parameters", ()) if item["in"] == place]


@dataclass(frozen=True)
class Probe:
    """One request."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def text(self) -> str:
        """All that the caller says, and so knows already."""
        return f"{self.path} {self.query} {self.headers} {self.body}"


Send = Callable[[Persona, Probe], Awaitable[httpx.Response]]


def targets_of(prefix: str, document: dict[str, Any]) -> Iterator[Target]:
    """Every operation of an API under the prefix at which it stands."""
    for path, methods in document["paths"].items():
        for method, shape in methods.items():
            yield Target(
                shape["operationId"], method.upper(), prefix + path, shape, document["components"]["schemas"]
            )


def probes(target: Target, words: Words) -> Iterator[Probe]:
    """Every way to ask an operation for what some ids name; raises KeyError for a parameter without ids."""
    places = target.parameters("path")
    named = {name for name in properties(target.body or {}, target.components) if name in words}
    rounds = max((len(words[name]) for name in (*places, *named)), default=1)
    for number in range(rounds):
        chosen = {name: options[number % len(options)] for name, options in words.items()}
        path = target.path
        for name in places:
            path = path.replace(f"{{{name}}}", chosen[name])
        body = None if target.body is None else example(target.body, target.components, chosen)
        yield Probe(target.method, path, headers=_headers(target), body=body)
        if target.method == "GET" and places and number == 0 and not target.of_system:
            yield Probe("HEAD", path)
            yield Probe("GET", path, headers={"If-None-Match": "*"})
        for name in target.parameters("query"):
            for word in words.get(name, ())[:_FEW]:
                yield Probe(target.method, path, {name: word}, _headers(target), body)


def _headers(target: Target) -> dict[str, str]:
    wanted = target.parameters("header")
    made = {"Idempotency-Key": f"probe-{next(_NUMBERS):010}", "If-Match": "*"}
    return {name: value for name, value in made.items() if name in wanted}


@dataclass(frozen=True)
class Prober:
    """Sends probes and says what leaks."""

    send: Send
    _answers_for_nobody: dict[str, httpx.Response] = field(default_factory=dict)

    async def leaks(self, persona: Persona, world: World, probe: Probe) -> list[str]:
        """What an answer tells a persona of a world that is not his, a sentence each."""
        answer = await self.send(persona, probe)
        nobodys = Probe(
            probe.method,
            world.fake(probe.path),
            {name: world.fake(value) for name, value in probe.query.items()},
            {**probe.headers, **_fresh(probe)},
            _faked(world, probe.body),
        )
        where = f"{persona.name} of {world.name}: {probe.method} {probe.path} {probe.query} {probe.body}"
        found = []
        told = world.marks_in(_told(answer)) - world.marks_in(probe.text)
        if told:
            found.append(f"{where}: tells {sorted(told)[:5]}")
        unlike = _difference(world, probe, answer, await self._for_nobody(persona, nobodys))
        if unlike:
            found.append(f"{where}: is told from nobody's by {unlike}")
        return found

    async def _for_nobody(self, persona: Persona, probe: Probe) -> httpx.Response:
        """The answer for ids that nobody has, asked for once."""
        same = {name: value for name, value in probe.headers.items() if name != "Idempotency-Key"}
        name = f"{persona.name} {probe.method} {probe.path} {probe.query} {same} {probe.body}"
        if name not in self._answers_for_nobody:
            self._answers_for_nobody[name] = await self.send(persona, probe)
        return self._answers_for_nobody[name]

    async def replays(self, owner: Persona, other: Persona, world: World, probe: Probe) -> list[str]:
        """What another consumer learns from the key of a request that its owner made."""
        await self.send(owner, probe)
        answer = await self.send(other, probe)
        where = f"{other.name} with the key of {owner.name}: {probe.path}"
        told = world.marks_in(_told(answer)) - world.marks_in(probe.text)
        found = [f"{where}: tells {sorted(told)[:5]}"] if told else []
        if "idempotency-replayed" in answer.headers:
            found.append(f"{where}: was replayed")
        return found


def _fresh(probe: Probe) -> dict[str, str]:
    return {"Idempotency-Key": f"probe-{next(_NUMBERS):010}"} if "Idempotency-Key" in probe.headers else {}


def _faked(world: World, body: Any) -> Any:
    if isinstance(body, str):
        return world.fake(body)
    if isinstance(body, dict):
        return {name: _faked(world, value) for name, value in body.items()}
    return [_faked(world, value) for value in body] if isinstance(body, list) else body


def _told(answer: httpx.Response) -> str:
    """Everything in an answer that can be read, cursors included."""
    cursors = " ".join(_plain(cursor) for cursor in _CURSOR.findall(answer.text))
    return f"{answer.text} {cursors} {dict(answer.headers)}"


def _plain(cursor: str) -> str:
    return base64.urlsafe_b64decode(cursor).decode(errors="replace")


def _without_noise(text: str) -> str:
    return _BINDING.sub("", _OCCURRENCE.sub("", text))


def _difference(world: World, probe: Probe, answer: httpx.Response, nobodys: httpx.Response) -> str:
    """By what two answers differ but for the ids that were asked for and what differs every time."""
    if answer.status_code != nobodys.status_code:
        return f"status {answer.status_code} and {nobodys.status_code}"
    if set(answer.headers) - _VARIES != set(nobodys.headers) - _VARIES:
        return f"headers {set(answer.headers) ^ set(nobodys.headers)}"
    first = _without_noise(world.fake(answer.text, probe.text))
    second = _without_noise(nobodys.text)
    return "" if first == second else f"body {first[:300]} and {second[:300]}"
