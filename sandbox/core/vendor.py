"""What a vendor's stand-in offers to the core that serves it; optional methods have their answer here."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.core.wire import answer

if TYPE_CHECKING:
    from sandbox.core.accounts import Account, World


class ControlError(Exception):
    """A control request that cannot be done, in one sentence (answered with 400)."""


class Vendor(Protocol):
    """Subclass it; everything above the line is the vendor's to write."""

    name: str
    title: str
    request_id_header: str = ""
    logged_headers: str = ""
    """A pattern: the vendor's own request headers that the call log shows, beside those of HTTP."""
    secret_paths: str = r"(?i)oauth|token|soap"  # noqa: S105 - a pattern: bodies of these calls are never logged

    def seed(self, account: "Account") -> None:
        """Fill a fresh account; also called with settings {"empty": true}, for what no account lacks."""
        ...

    def credentials(self, account: "Account", base_url: str) -> dict[str, Any]: ...
    def environment(self, account: "Account", base_url: str, files: Path) -> dict[str, str]: ...
    def routes(self, world: "World") -> list[BaseRoute]: ...
    def account_of(self, world: "World", request: Request) -> "Account | None": ...
    def edit(
        self, account: "Account", record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]: ...
    def create(self, account: "Account", record_type: str, fields: dict[str, Any]) -> dict[str, Any]: ...

    # ------------------------------------------------------------------------------------------------

    def take_options(self, options: dict[str, int]) -> None:
        """The values of the options that the folder declares, before anything is served."""

    def insert(self, account: "Account", record_type: str, record: dict[str, Any]) -> str:
        """Put a raw record in, telling nobody, and return its id."""
        record_id = str(record.get("id") or account.next_number(record_type))
        account.tables.setdefault(record_type, {})[record_id] = {"id": record_id, **record}
        return record_id

    def delete(self, account: "Account", record_type: str, record_id: str) -> None:
        """A person deletes a record. Raises: KeyError."""
        del account.tables[record_type][record_id]

    def merge(self, account: "Account", record_type: str, record_id: str, into: str) -> None:  # noqa: ARG002
        """A person merges a record into another, which remains. Raises: KeyError."""
        raise ControlError(f"{self.title} merges no records")

    def restore(self, account: "Account", record_type: str, record_id: str) -> None:  # noqa: ARG002
        """A person takes a deleted record back. Raises: KeyError."""
        raise ControlError(f"{self.title} restores no records")

    def deliver(self, account: "Account", event: dict[str, Any]) -> None:
        """Take one change notification to its receivers (called by Notifications)."""

    def change_schema(self, account: "Account", change: dict[str, Any]) -> None:  # noqa: ARG002 - a default
        raise ControlError(f"{self.title} has no schema to change here")

    def limits(self, account: "Account") -> dict[str, Any]:
        return account.extra.setdefault("limits", {})

    def set_limits(self, account: "Account", limits: dict[str, Any]) -> None:
        self.limits(account).update(limits)

    def counted(self, request: Request) -> bool:  # noqa: ARG002 - a default
        """Whether this call is work under way in the vendor's eyes (and in `in_flight`)."""
        return True

    def admit(self, account: "Account", request: Request) -> Response | None:  # noqa: ARG002 - a default
        """Refuse a call for a limit's sake, before holds, faults and the route."""
        return None

    def error(self, request: Request, status: int) -> Response:  # noqa: ARG002 - a default
        """The vendor's own error body for an injected status."""
        return answer({"error": f"injected {status}"}, status)

    def expire_token(self, account: "Account", request: Request) -> None:
        """Kill the token this call came with; `account.is_dead(token)` is for the vendor to ask."""
        account.kill_token(request.headers.get("authorization", "").partition(" ")[2])

    async def background(self, world: "World", stop: asyncio.Event) -> None:
        """Run beside the server until `stop` is set: senders, further listeners."""
