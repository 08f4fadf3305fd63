"""tests/conformance/gateway: what a case says: one truth about the gateway, and the requests that show it."""

import tomllib
from pathlib import Path
from typing import Any

import msgspec

CASES = Path(__file__).parent / "cases"


class Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an answer must be. A text that begins with ``~ `` is a pattern that must be found.

    `status` is one of several when it is a list; 0 stands for a gateway that closes without an answer.
    `problem` is the code of a problem document (RFC 9457), `pointers` all places that it names. `json` is
    a part of the body. `has` and `lacks` are texts anywhere in all that was received. `before` is the status
    of all answers but the last where a step is repeated, `statuses` those of requests sent together, sorted:
    all else is then expected of the one with the greatest.
    """

    status: int | tuple[int, ...] = ()
    problem: str = ""
    pointers: tuple[str, ...] | None = None
    headers: dict[str, str] = {}
    absent: tuple[str, ...] = ()
    json: Any = None
    body: str | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    within_seconds: float | None = None
    before: int | None = None
    statuses: tuple[int, ...] | None = None

    @property
    def accepted(self) -> tuple[int, ...]:
        """The statuses that would do."""
        return (self.status,) if isinstance(self.status, int) else self.status


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the proof of possession differs from a right one; without any difference it is right (RFC 9449)."""

    header: dict[str, Any] = {}
    claims: dict[str, Any] = {}
    without: tuple[str, ...] = ()
    stranger: bool = False


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"as_": "as"}):
    """One request; or `repeat` of it, `every_seconds`, at most `until` a status; or so many `together`.

    `as` names the token that it carries, `scheme` how; its `proof` is made once, however often it is sent.
    `source` is the address of ours that it comes from. `lines` are the bytes of a request as they are, joined
    by CRLF, with `tail` after them. `capture` keeps a header of the answer under a name, or, where that is
    told by a ``/member``, a part of its JSON.
    In every text ``${unique}``, ``${host}``, ``${url}``, ``${token:NAME}``, ``${secret:NAME}``,
    ``${certificate:NAME}``, ``${text*100}`` and whatever was captured are filled in.
    """

    expect: Expect
    as_: str = ""
    scheme: str = "Bearer"
    proof: Proof | None = None
    source: str = ""
    method: str = "GET"
    path: str = "/"
    headers: dict[str, str] = {}
    json: Any = None
    text: str | None = None
    lines: tuple[str, ...] = ()
    tail: str = ""
    repeat: int = 1
    until: int | None = None
    every_seconds: float = 0.0
    together: int = 1
    capture: dict[str, str] = {}


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One truth in one sentence; `needs` are features without which a target is not asked."""

    title: str
    step: tuple[Step, ...]
    needs: tuple[str, ...] = ()


def names() -> list[str]:
    """Every case as ``policy/name``."""
    return sorted(str(path.relative_to(CASES).with_suffix("")) for path in CASES.rglob("*.toml"))


def read(name: str) -> Case:
    """A case by its name; raises msgspec.ValidationError for a file that says what no case can say."""
    raw = tomllib.loads((CASES / f"{name}.toml").read_text(encoding="utf-8"))
    return msgspec.convert(raw, Case)
