"""tests/support: a stand-in vendor as a test sees it: an account of one's own, and its controls."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any

import httpx
import msgspec

from sandbox.core.stand import Stand
from sandbox.folders import console_of, stand_of
from tests.support.nursery import ask

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
Json = Any


class SandboxRefused(Exception):  # noqa: N818 as the control API says it
    """The control API answered with an error."""


@dataclass(frozen=True)
class Control:
    """The control API of one stand-in; money keeps its digits both ways."""

    client: httpx.AsyncClient

    async def call(self, method: str, path: str, body: Json = None, /, **query: object) -> Json:
        answer = await self.client.request(
            method,
            f"/__control{path}",
            content=None if body is None else _ENCODER.encode(body),
            params={name: str(value) for name, value in query.items() if value is not None},
        )
        if answer.is_error:
            raise SandboxRefused(f"{method} {path}: {answer.status_code} {answer.text}")
        return _DECODER.decode(answer.content) if answer.content else None


@dataclass(frozen=True)
class Hold:
    """Calls that wait until told to go on."""

    account: "Account"
    id: str

    async def wait(self, seconds: float = 10) -> list[int]:
        """Until a call is held; the numbers of the held calls, empty when none came in time."""
        answer = await self.account.call("GET", f"/holds/{self.id}", wait_seconds=seconds)
        return answer["held"]

    async def release(self) -> None:
        await self.account.call("POST", f"/holds/{self.id}/release")


@dataclass(frozen=True)
class Account:
    """One org, company or account at a stand-in vendor, with all that an ordinary client needs to use it."""

    control: Control
    base_url: str
    name: str
    credentials: dict[str, Any]
    env: dict[str, str]
    vendor: str

    @cached_property
    def console(self) -> Any:
        """What a person does and sees in this account's screens."""
        return console_of(self.vendor)(self)

    @property
    def stand(self) -> Stand:
        return stand_of(self.vendor)

    def reads(self, noun: str = "", record_id: str = "") -> dict[str, str]:
        """How to match the calls that read records, or one of them, for a fault or a hold."""
        method, path = self.stand.nouns[noun].reads if noun else self.stand.reads
        return {"method": method, "path": f"{path}.*{record_id}" if record_id else path}

    def writes(self) -> dict[str, str]:
        """How to match the calls that write on a record that is there."""
        method, path = self.stand.writes
        return {"method": method, "path": path}

    def creates(self, noun: str) -> dict[str, str]:
        """How to match the calls that create a noun."""
        method, path = self.stand.nouns[noun].creates
        return {"method": method, "path": path}

    async def call(self, method: str, path: str, body: Json = None, /, **query: object) -> Json:
        return await self.control.call(method, f"/accounts/{self.name}{path}", body, **query)

    async def reset(self, seed: int | None = None) -> None:
        await self.call("POST", "/reset", {} if seed is None else {"seed": seed})

    async def remove(self) -> None:
        await self.call("DELETE", "")

    async def seed(self, records: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
        """Put raw records in, by type, without any notification; their ids by type."""
        return (await self.call("POST", "/seed", {"records": records}))["ids"]

    async def tables(self) -> dict[str, dict[str, dict[str, Any]]]:
        """All records of the account, by type and id."""
        return await self.call("GET", "/records")

    async def records(self, record_type: str) -> list[dict[str, Any]]:
        return await self.call("GET", f"/records/{record_type}")

    async def record(self, record_type: str, record_id: str) -> dict[str, Any]:
        return await self.call("GET", f"/records/{record_type}/{record_id}")

    async def create(self, record_type: str, **fields: Any) -> dict[str, Any]:
        """A person creates a record in the vendor's own screens."""
        return await self.call("POST", f"/records/{record_type}", fields)

    async def edit(self, record_type: str, record_id: str, **fields: Any) -> dict[str, Any]:
        """A person edits it in the vendor's own screens; the vendor's change notification follows."""
        return await self.call("PATCH", f"/records/{record_type}/{record_id}", fields)

    async def delete(self, record_type: str, record_id: str) -> None:
        await self.call("DELETE", f"/records/{record_type}/{record_id}")

    async def merge(self, record_type: str, record_id: str, into: str) -> None:
        """A person merges it into another one, which remains."""
        await self.call("POST", f"/records/{record_type}/{record_id}/merge", {"into": into})

    async def restore(self, record_type: str, record_id: str) -> None:
        """A person takes the deleted record back."""
        await self.call("POST", f"/records/{record_type}/{record_id}/restore")

    async def calls(
        self, *, since: int | None = None, method: str | None = None, path: str | None = None
    ) -> list[dict[str, Any]]:
        return await self.call("GET", "/calls", since=since, method=method, path=path)

    async def count_calls(
        self, *, since: int | None = None, method: str | None = None, path: str | None = None
    ) -> dict[str, Any]:
        """`count`, `by` method and path, and `max_in_flight`."""
        return await self.call("GET", "/calls/count", since=since, method=method, path=path)

    async def changing_calls(self) -> list[dict[str, Any]]:
        """The calls that were neither a reading, a question nor a login."""
        return [
            call
            for call in await self.calls()
            if call["method"] in ("POST", "PUT", "PATCH", "DELETE")
            and not call["path"].endswith(self.stand.questions)
        ]

    async def clear_calls(self) -> None:
        await self.call("DELETE", "/calls")

    async def freeze_clock(self, now: str) -> None:
        await self.call("PUT", "/clock", {"now": now})

    async def advance_clock(self, seconds: float) -> None:
        await self.call("PUT", "/clock", {"advance_seconds": seconds})

    async def real_clock(self) -> None:
        await self.call("PUT", "/clock", {"real": True})

    async def add_fault(
        self,
        effect: dict[str, Any],
        *,
        method: str | None = None,
        path: str | None = None,
        body: str | None = None,
        skip: int = 0,
        times: int | None = 1,
    ) -> str:
        """One fault rule on the calls that match; its id. `times=None` means always."""
        rule = {"match": _match(method, path, body), "skip": skip, "times": times, "effect": effect}
        return (await self.call("POST", "/faults", rule))["id"]

    async def clear_faults(self) -> None:
        await self.call("DELETE", "/faults")

    async def hold(
        self,
        point: str,
        *,
        method: str | None = None,
        path: str | None = None,
        body: str | None = None,
        times: int = 1,
    ) -> Hold:
        """Let matching calls wait `before` or `after` their effect, until released."""
        rule = {"match": _match(method, path, body), "point": point, "times": times}
        return Hold(self, (await self.call("POST", "/holds", rule))["id"])

    async def set_notifications(
        self, mode: str, *, times: int | None = None, copies: int | None = None
    ) -> None:
        """What happens to the next change notifications: normal, lose, duplicate, delay or reorder."""
        wanted = {"mode": mode, "times": times, "copies": copies}
        await self.call("POST", "/notifications", {k: v for k, v in wanted.items() if v is not None})

    async def flush_notifications(self) -> int:
        return (await self.call("POST", "/notifications/flush"))["sent"]

    async def redeliver_notifications(self, count: int = 1) -> int:
        return (await self.call("POST", "/notifications/redeliver", {"count": count}))["sent"]

    async def change_schema(self, change: dict[str, Any]) -> None:
        await self.call("POST", "/schema", change)

    async def change_settings(self, settings: dict[str, Any]) -> None:
        """Change the account's own settings."""
        await self.control.call("POST", "/accounts", {"name": self.name, "settings": settings})

    async def limits(self) -> dict[str, Any]:
        return await self.call("GET", "/limits")

    async def set_limits(self, **limits: Any) -> dict[str, Any]:
        return await self.call("PUT", "/limits", limits)


@dataclass(frozen=True)
class Sandbox:
    """One stand-in vendor, shared by the whole run; tests keep apart by having an account each."""

    vendor: str
    base_url: str
    env: dict[str, str]
    control: Control
    namespace: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def create_account(self, name: str | None = None, *, seed: int = 1, **settings: Any) -> Account:
        """An account of one's own, under a name that no other test of the run has."""
        wanted = name or f"{self.namespace}-{next(self._numbers)}"
        made = await self.control.call(
            "POST", "/accounts", {"name": wanted, "seed": seed, "settings": settings}
        )
        return Account(
            self.control, self.base_url, made["name"], made["credentials"], made["env"], self.vendor
        )

    async def account(self, name: str = "story") -> Account:
        """An account that exists; `story` always does, and belongs to all."""
        found = await self.control.call("GET", f"/accounts/{name}")
        return Account(
            self.control, self.base_url, found["name"], found["credentials"], found["env"], self.vendor
        )


SandboxOf = Callable[[str], Awaitable[Sandbox]]
"""A vendor's stand-in by its name."""


@asynccontextmanager
async def open_sandbox(nursery: str, vendor: str, namespace: str) -> AsyncIterator[Sandbox]:
    env = ask(nursery, vendor)
    base_url = env[f"{vendor.upper()}_SANDBOX_URL"]
    # trust_env off: the environment of the stand-in itself names a proxy.
    async with httpx.AsyncClient(base_url=base_url, timeout=60, trust_env=False) as client:
        yield Sandbox(vendor, base_url, env, Control(client), namespace)


def _match(method: str | None, path: str | None, body: str | None) -> dict[str, str]:
    wanted = {"method": method, "path": path, "body": body}
    return {name: value for name, value in wanted.items() if value is not None}
