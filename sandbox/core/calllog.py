"""The call log of one account: what was asked and answered, and how many calls were under way at once."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

import msgspec

KEPT_CALLS = 20_000
KEPT_BODY_BYTES = 4096


class Call(msgspec.Struct):
    """One call; `auth` names the principal, never its token."""

    seq: int
    at: str
    method: str
    path: str
    query: str
    in_flight: int
    status: int | None = None
    request_id: str | None = None
    duration_ms: float | None = None
    auth: str | None = None
    headers_subset: dict[str, str] = {}
    fault: str | None = None
    request_body: str = ""
    response_body: str = ""


class CallLog:
    def __init__(self) -> None:
        self.calls: deque[Call] = deque(maxlen=KEPT_CALLS)
        self.last_seq = 0
        self.in_flight = 0
        self.max_in_flight = 0

    def enter(self, at: str, method: str, path: str, query: str, *, counted: bool) -> Call:
        """Note a call at its arrival; `counted` calls are those the vendor counts as work under way."""
        self.last_seq += 1
        if counted:
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
        call = Call(self.last_seq, at, method, path, query, self.in_flight)
        self.calls.append(call)
        return call

    def leave(self, *, counted: bool) -> None:
        if counted:
            self.in_flight -= 1

    def clear(self) -> None:
        """Forget the calls; those under way stay counted."""
        self.calls.clear()
        self.max_in_flight = self.in_flight

    def select(self, since: int = 0, method: str = "", path: str = "") -> Iterator[Call]:
        wanted = re.compile(path)
        for call in self.calls:
            if call.seq > since and method.upper() in {"", call.method} and wanted.search(call.path):
                yield call

    def count(self, since: int = 0, method: str = "", path: str = "") -> dict[str, Any]:
        by = Counter(f"{call.method} {call.path}" for call in self.select(since, method, path))
        return {"count": by.total(), "by": dict(by), "max_in_flight": self.max_in_flight}


def clip(body: bytes) -> str:
    return body[:KEPT_BODY_BYTES].decode("utf-8", "replace")
