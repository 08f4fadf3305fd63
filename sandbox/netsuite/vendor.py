"""What the NetSuite stand-in offers to the core: accounts, credentials, a person's edits, limits."""

import asyncio
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.core import Account, ControlError, Vendor, World
from sandbox.netsuite import keys, oauth2, push, records, schema
from sandbox.netsuite.problems import Refusal, injected
from sandbox.netsuite.records import Manner
from sandbox.netsuite.routes import PREFIX, FrontRoutes, find_account, limits
from sandbox.netsuite.schema import TYPES, RecordType
from sandbox.netsuite.seed import seed
from sandbox.netsuite.store import find, new_id, stamp, table


class NetSuite(Vendor):
    name = "netsuite"
    title = "NetSuite"
    request_id_header = "x-n-operationid"
    logged_headers = "x-netsuite-.*"

    def __init__(self) -> None:
        self._outbox = push.Outbox()

    def seed(self, account: Account) -> None:
        seed(account)

    def credentials(self, account: Account, base_url: str) -> dict[str, Any]:
        return {
            **keys.credentials(account),
            "base_url": base_url,
            "token_url": f"{base_url}{oauth2.TOKEN_PATH}",
            "host": keys.host(account),
            "private_key": keys.private_key_pem(account),
            "push_secret": push.secret(account),
        }

    def environment(self, account: Account, base_url: str, files: Path) -> dict[str, str]:
        offered = self.credentials(account, base_url)
        key_file = files / f"netsuite-{account.name}.pem"
        key_file.write_text(offered["private_key"])
        key_file.chmod(0o600)
        names = (
            "account base_url token_url client_id certificate_id consumer_key consumer_secret "
            "token_id token_secret "
            "push_secret"
        )
        said = {f"NETSUITE_{name.upper()}": offered[name] for name in names.split()}
        return {**said, "NETSUITE_PRIVATE_KEY_FILE": str(key_file.resolve())}

    def routes(self, world: World) -> list[BaseRoute]:  # noqa: ARG002 - the door asks the request
        return FrontRoutes().routes()

    def account_of(self, world: World, request: Request) -> Account | None:
        return find_account(world, request)

    def edit(
        self, account: Account, record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        kind = _known(account, record_type, record_id)
        # Outside the API nobody appends lines: a person sees the list and leaves it as it should be.
        manner = Manner(naming="error", replace=frozenset(kind.sublists), source="ui")
        return _by_person(lambda: records.update(account, kind, record_id, fields, manner))

    def create(self, account: Account, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        manner = Manner(naming="error", source="ui")
        return _by_person(lambda: records.create(account, TYPES[record_type], fields, manner))

    def delete(self, account: Account, record_type: str, record_id: str) -> None:
        kind = _known(account, record_type, record_id)
        _by_person(lambda: records.delete(account, kind, record_id))

    def insert(self, account: Account, record_type: str, record: dict[str, Any]) -> str:
        kind = TYPES[record_type]
        record_id = str(record.get("id") or new_id(account, kind))
        born = "createdDate" if kind.family in {"transaction", "item"} else "dateCreated"
        usual = {born: stamp(account), "lastModifiedDate": stamp(account), "isInactive": False}
        table(account, kind)[record_id] = {**usual, **record, "id": record_id}
        return record_id

    def deliver(self, account: Account, event: dict[str, Any]) -> None:
        self._outbox.add(account, event)

    def change_schema(self, account: Account, change: dict[str, Any]) -> None:
        schema.change(account, change)

    def limits(self, account: Account) -> dict[str, Any]:
        return limits(account)

    def counted(self, request: Request) -> bool:
        return request.url.path.startswith(PREFIX) and not request.url.path.startswith(f"{PREFIX}auth/")

    def admit(self, account: Account, request: Request) -> Response | None:
        """Concurrency, not rate: one call too many under way at once is refused at the door."""
        if self.counted(request) and account.log.in_flight > limits(account)["concurrency"]:
            return Refusal(429).response()
        return None

    def error(self, request: Request, status: int) -> Response:  # noqa: ARG002 - one for all calls
        return injected(status)

    def expire_token(self, account: Account, request: Request) -> None:
        header = request.headers.get("authorization", "")
        signed = header.lower().startswith("oauth ")
        account.kill_token(keys.credentials(account)["token_id"] if signed else header.partition(" ")[2])

    async def background(self, world: World, stop: asyncio.Event) -> None:
        await self._outbox.run(world, stop)


def _known(account: Account, record_type: str, record_id: str) -> RecordType:
    """Raises: KeyError."""
    kind = TYPES[record_type]
    if find(account, kind, record_id) is None:
        raise KeyError(record_id)
    return kind


def _by_person(action: Any) -> Any:
    try:
        return action()
    except Refusal as refusal:
        raise ControlError(str(refusal)) from refusal


VENDOR = NetSuite()
