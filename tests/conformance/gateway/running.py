"""tests/conformance/gateway: a case against a target, by HTTP alone."""

import re
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import msgspec

from tests.conformance.gateway import proving
from tests.conformance.gateway.case import Case, Step
from tests.conformance.gateway.matching import faults
from tests.conformance.gateway.speaking import Answer, Line

SECONDS = 15.0
_PLACE = re.compile(r"\$\{(.+?)\}", re.DOTALL)


class Target(msgspec.Struct, frozen=True):
    """Where the gateway stands, the name that it goes by, and the credentials for it.

    `lacks` are features that it does not have: cases that need one of these are not asked.
    """

    base_url: str
    public_url: str
    tokens: dict[str, str]
    proof_key: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    certificates: dict[str, str] = {}
    lacks: frozenset[str] = frozenset()
    seconds: float = SECONDS


def run(case: Case, target: Target) -> list[str]:
    """What is wrong, up to the first step that went wrong; nothing when the case holds."""
    known = {
        "unique": secrets.token_hex(8),
        "url": target.public_url,
        "host": urlsplit(target.public_url).netloc,
        **{f"token:{name}": token for name, token in target.tokens.items()},
        **{f"secret:{name}": secret for name, secret in target.secrets.items()},
        **{f"certificate:{name}": one for name, one in target.certificates.items()},
    }
    for number, step in enumerate(case.step, 1):
        found = _Asking(step, target, known).faults()
        if found:
            return [f"step {number}: {fault}" for fault in found]
    return []


def filler(known: dict[str, str]) -> Callable[[str], str]:
    """Fills in the placeholders of a text; raises KeyError for an unknown one."""

    def value(found: re.Match[str]) -> str:
        name = found.group(1)
        text, star, times = name.rpartition("*")
        return text * int(times) if star else known[name]

    return lambda text: _PLACE.sub(value, text)


class _Asking:
    """One step: sent as often as it says, held against what it expects."""

    def __init__(self, step: Step, target: Target, known: dict[str, str]) -> None:
        self._step = step
        self._target = target
        self._known = known
        self._fill = filler(known)
        self._proof = self._prove()

    def faults(self) -> list[str]:
        begun = time.monotonic()
        try:
            answers = self._together() if self._step.together > 1 else self._in_turn()
        except OSError as error:
            return [f"no answer: {error!r}"]
        found = self._judge(answers)
        allowed = self._step.expect.within_seconds
        if allowed is not None and time.monotonic() - begun > allowed:
            found.append(f"it took {time.monotonic() - begun:.1f} s")
        if not found:
            self._capture(answers[-1])
        return found

    def _prove(self) -> str:
        """The proof of possession of this step; empty where it sends none."""
        step = self._step
        if step.proof is None:
            return ""
        path = self._fill(step.path).partition("?")[0]
        return proving.make(
            msgspec.structs.replace(step.proof, claims=self._filled(step.proof.claims)),
            self._target.proof_key,
            method=step.method,
            address=self._target.public_url + path,
            token=self._known[f"token:{step.as_}"],
        )

    def _judge(self, answers: list[Answer]) -> list[str]:
        expect = self._step.expect
        if expect.statuses is not None:
            answers = sorted(answers, key=lambda answer: answer.status)
            statuses = tuple(answer.status for answer in answers)
            if statuses != expect.statuses:
                return [f"the statuses are {statuses}"]
        *earlier, last = answers
        found = faults(last, expect, self._fill)
        odd = {answer.status for answer in earlier} - {expect.before}
        if expect.before is not None and odd:
            found.append(f"earlier answers had the statuses {sorted(odd)}")
        if self._step.until is not None and expect.before is not None and not earlier:
            found.append("the very first answer was the last")
        return found

    def _capture(self, answer: Answer) -> None:
        for name, place in self._step.capture.items():
            found = _member(answer, place) if place.startswith("/") else answer.header(place)
            self._known[name] = str(found or "")

    def _in_turn(self) -> list[Answer]:
        line = self._open()
        answers: list[Answer] = []
        try:
            for _ in range(self._step.repeat):
                answers.append(self._one(line))
                if answers[-1].status == self._step.until:
                    break
                time.sleep(self._step.every_seconds)  # asking all the time would run into limits
        finally:
            line.close()
        return answers

    def _together(self) -> list[Answer]:
        lines = [self._open() for _ in range(self._step.together)]
        with ThreadPoolExecutor(len(lines)) as pool:
            answers = list(pool.map(self._one, lines))
        for line in lines:
            line.close()
        return answers

    def _open(self) -> Line:
        return Line(self._target.base_url, self._target.seconds, self._step.source)

    def _one(self, line: Line) -> Answer:
        step = self._step
        if step.lines:
            return line.send(self._fill("\r\n".join(step.lines) + step.tail).encode("latin-1"))
        return line.ask(step.method, self._fill(step.path), self._headers(), self._body())

    def _headers(self) -> list[tuple[str, str]]:
        step = self._step
        found = {"Host": self._known["host"]}
        if step.as_:
            found["Authorization"] = f"{step.scheme} {self._known[f'token:{step.as_}']}"
        if self._proof:
            found["DPoP"] = self._proof
        if step.json is not None:
            found["Content-Type"] = "application/json"
        found |= step.headers
        return [(name, self._fill(value)) for name, value in found.items()]

    def _body(self) -> bytes | None:
        step = self._step
        if step.json is not None:
            return msgspec.json.encode(self._filled(step.json))
        return None if step.text is None else self._fill(step.text).encode("latin-1")

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self._fill(value) if isinstance(value, str) else value


def _member(answer: Answer, place: str) -> Any:
    told = answer.json()
    return told.get(place.removeprefix("/")) if isinstance(told, dict) else None
