"""Kantata stand-in: what it offers to the core that serves it."""

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sandbox.core import Account, ControlError, Vendor, World, answer
from sandbox.kantata import feed, oauth, rates, seeding, wire, writing
from sandbox.kantata.catalogue import COLLECTIONS
from sandbox.kantata.problems import RefusalError, not_found, system, too_many, unauthorised
from sandbox.kantata.store import Record, Unit

# The vendor's host names, as they arrive through the TLS proxy, serve one half each.
API_HOST, APP_HOST = "api.mavenlink.com", "app.mavenlink.com"
SENTENCES = {
    500: "Something went wrong. Please try again later.",
    502: "Bad gateway",
    503: "Kantata is temporarily unavailable for maintenance.",
    504: "The request took too long to process.",
}


class Kantata(Vendor):
    name = "kantata"
    title = "Kantata"
    request_id_header = "x-request-id"
    secret_paths = r"^/oauth/"  # noqa: S105 - a pattern: bodies of these calls are never logged

    def __init__(self, oauth_rate: str = "600/minute") -> None:
        self._buckets = rates.Buckets()
        self._oauth_rate = oauth_rate

    def seed(self, account: Account) -> None:
        self._buckets.forget(account)
        seeding.seed(account)

    def credentials(self, account: Account, base_url: str) -> dict[str, Any]:
        return {
            "base_url": f"{base_url}{wire.PREFIX}",
            "oauth_url": f"{base_url}/oauth",
            "client_id": account.extra["client_id"],
            "client_secret": account.extra["client_secret"],
            "token": account.secret("administrator token"),
            "lead_token": account.secret("lead token"),
            "collaborator_token": account.secret("collaborator token"),
            "account_id": account.extra["account_id"],
        }

    def environment(self, account: Account, base_url: str, files: Path) -> dict[str, str]:  # noqa: ARG002 - no key files
        known = self.credentials(account, base_url)
        names = ("base_url", "oauth_url", "client_id", "client_secret", "token")
        return {f"KANTATA_{name.upper()}": known[name] for name in names}

    def routes(self, world: World) -> list[BaseRoute]:
        return [*wire.routes(world), *oauth.OAuthServer(world, self._oauth_rate).routes()]

    def account_of(self, world: World, request: Request) -> Account | None:
        """By bearer token, dead ones too (their refusal is logged), or by client id at the OAuth server."""
        if not _is_right_host(request):
            return None
        token = oauth.bearer_of(request)
        if token:
            return world.find(lambda account: token in account.extra["tokens"])
        if request.url.path.startswith("/oauth/"):
            client_id, _ = oauth.client_of(request)
            return world.find(lambda account: account.extra["client_id"] == client_id)
        return None

    def admit(self, account: Account, request: Request) -> Response | None:
        if not request.url.path.startswith(wire.PREFIX):
            return None
        endpoint = f"{request.method} /{'/'.join(wire.parts_of(request.url.path)[:1])}"
        if self._buckets.admits(account, endpoint):
            return None
        return wire.refusal_of(request, too_many())

    def counted(self, request: Request) -> bool:
        return request.url.path.startswith(wire.PREFIX)

    def error(self, request: Request, status: int) -> Response:
        if request.url.path.startswith("/oauth/"):
            return answer({"error": "temporarily_unavailable"}, status)
        known = {401: unauthorised, 404: not_found, 429: too_many}.get(status)
        refusal = known() if known else system(status, SENTENCES.get(status, "Request failed"))
        return wire.refusal_of(request, refusal)

    def limits(self, account: Account) -> dict[str, Any]:
        return account.extra["limits"]

    def set_limits(self, account: Account, limits: dict[str, Any]) -> None:
        rates.merge(account.extra["limits"], limits)
        self._buckets.forget(account)
        account.touch()

    def deliver(self, account: Account, event: dict[str, Any]) -> None:
        feed.deliver(account, event)

    def create(self, account: Account, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        return self._by_hand(account, lambda unit: writing.create(unit, _key(record_type), fields))

    def edit(
        self, account: Account, record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        row = account.tables.get(_key(record_type), {})[record_id]
        unknown = set(fields) - COLLECTIONS[record_type].update
        if unknown:
            raise ControlError(f"Nobody can set {', '.join(sorted(unknown))} of {record_type}")
        return self._by_hand(account, lambda unit: writing.update(unit, _key(record_type), row, fields))

    def delete(self, account: Account, record_type: str, record_id: str) -> None:
        """In the vendor's screens a project can be deleted, which its API does not offer."""
        row = account.tables.get(_key(record_type), {})[record_id]
        key = _key(record_type)
        self._by_hand(account, lambda unit: writing.remove(unit, key, row))

    def insert(self, account: Account, record_type: str, record: dict[str, Any]) -> str:
        """A record as it is, telling nobody; what it leaves out is as an ordinary creation would make it."""
        key = _key(record_type)
        chosen = {key: str(record["id"])} if record.get("id") else {}
        unit = Unit(account, account.extra["administrator_id"], chosen)
        row = self._run(unit, lambda _: _raw(unit, key, record))
        unit.commit()
        return row["id"]

    def change_schema(self, account: Account, change: dict[str, Any]) -> None:
        """Custom fields: `object` with `add_field`, `remove_field` or `retype`; or the project `statuses`."""
        if "statuses" in change:
            account.extra["statuses"] = change["statuses"]
            account.touch()
            return
        subject = COLLECTIONS[_key(change["object"])].subject
        self._by_hand(account, lambda unit: _reshape(unit, subject, change))

    def _by_hand(self, account: Account, work: Any) -> Record:
        """A person's change in the vendor's screens: ordinary rules, ordinary news."""
        unit = Unit(account, account.extra["administrator_id"])
        row = self._run(unit, work)
        feed.publish(account, unit.commit())
        return row

    def _run(self, unit: Unit, work: Any) -> Record:
        try:
            return work(unit)
        except RefusalError as refusal:
            unit.rollback()
            reasons = "; ".join(
                f"{each.get('field', '')} {each['message']}".strip() for each in refusal.body["errors"]
            )
            raise ControlError(reasons) from refusal


def _is_right_host(request: Request) -> bool:
    host = request.headers.get("host", "").partition(":")[0]
    path = request.url.path
    return not (host == API_HOST and path.startswith("/oauth/")) and not (
        host == APP_HOST and path.startswith(wire.PREFIX)
    )


def _key(record_type: str) -> str:
    if record_type not in COLLECTIONS:
        raise ControlError(f"There is no collection {record_type}")
    return record_type


def _raw(unit: Unit, key: str, record: Record) -> Record:
    """The record with its own id and times; a kind that nobody can create takes its fellows' shape."""
    collection = COLLECTIONS[key]
    if collection.create:
        row = writing.create(unit, key, record)
    else:
        row = unit.insert(key, dict.fromkeys(next(iter(unit.rows(key).values()), {})))
    row.update({name: value for name, value in record.items() if name not in collection.create})
    row["id"] = str(row["id"])
    return row


def _reshape(unit: Unit, subject: str, change: Record) -> Record:
    if "add_field" in change:
        wanted = {name: value for name, value in change["add_field"].items() if name != "type"}
        kind = change["add_field"].get("value_type") or change["add_field"].get("type", "string")
        return writing.create(unit, "custom_fields", {**wanted, "value_type": kind, "subject_type": subject})
    name = change.get("remove_field") or change.get("retype", {}).get("name")
    found = unit.where("custom_fields", name=name, subject_type=subject)
    if not found:
        raise ControlError(f"{subject} has no custom field {name}")
    if "remove_field" in change:
        writing.erase(unit, "custom_fields", found[0])
        return found[0]
    return unit.amend("custom_fields", found[0], {"value_type": change["retype"]["value_type"]})


VENDOR = Kantata()
