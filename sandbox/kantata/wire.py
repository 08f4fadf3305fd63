"""Kantata stand-in: the REST API under /api/v1: who asks, what is asked, how it is answered."""

import hashlib
import time
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.core import Account, World, answer, dumps
from sandbox.kantata import extension, feed, oauth, writing
from sandbox.kantata.catalogue import ALIASES, COLLECTIONS
from sandbox.kantata.envelope import envelope, single
from sandbox.kantata.forms import read_body
from sandbox.kantata.listing import Query, choose, cut, is_shown
from sandbox.kantata.not_imitated import check_path
from sandbox.kantata.parameters import check_listed, check_shown
from sandbox.kantata.problems import RefusalError, forbidden, invalid, not_found, system, unauthorised
from sandbox.kantata.reader import Reader
from sandbox.kantata.shapes import Collection
from sandbox.kantata.store import Record, Unit
from sandbox.kantata.values import as_id, as_ids, words

PREFIX = "/api/v1"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
MOST_DELETED = 100
# Unheard from those who may not see money, and answered with 200 all the same.
MONEY_FIELDS = words(
    "price budgeted currency rate_card_id target_margin rate_in_cents cost_in_cents "
    "cost_rate_in_cents bill_rate cost_rate budget_estimate_in_cents cost_budget_in_cents"
)


def routes(_world: World) -> list[Route]:
    return [Route(PREFIX + "/{rest:path}", serve, methods=METHODS)]


def parts_of(path: str) -> list[str]:
    """The segments after /api/v1; the `.json` suffix is optional everywhere."""
    return [part for part in path.removeprefix(PREFIX).removesuffix(".json").split("/") if part]


async def serve(request: Request) -> Response:
    began = time.perf_counter()
    try:
        body = _Call(request).answer()
        response = _decorated(request, body, 204 if body is None else 200, began)
    except RefusalError as refusal:
        response = _decorated(request, refusal.body, refusal.status, began)
    return response


def refusal_of(request: Request, refusal: RefusalError) -> Response:
    return _decorated(request, refusal.body, refusal.status, time.perf_counter())


def _decorated(request: Request, body: Any, status: int, began: float) -> Response:
    content = b"" if body is None else dumps(body)
    call = getattr(request.state, "call", None)
    account = getattr(request.state, "account", None)
    name = f"{account.name if account else ''}|{call.seq if call else 0}"
    number = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()
    response = answer(body, status, media_type="application/json; charset=utf-8")
    response.headers["X-Request-Id"] = (
        f"{number[:8]}-{number[8:12]}-{number[12:16]}-{number[16:20]}-{number[20:]}"
    )
    response.headers["X-Runtime"] = f"{time.perf_counter() - began:.6f}"
    response.headers["Status"] = f"{status} {HTTPStatus(status).phrase}"
    if status == HTTPStatus.OK:
        response.headers["ETag"] = f'W/"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        response.headers["Cache-Control"] = "max-age=0, private, must-revalidate"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response


class _Call:
    """One call of one user: everything happens in one go, so no state is ever half-done."""

    def __init__(self, request: Request) -> None:
        self.request = request
        account: Account | None = request.state.account
        held = oauth.live_token(account, oauth.bearer_of(request)) if account else None
        if not account or not held:
            raise unauthorised()
        self.account = account
        self.user_id: str = held["user_id"]
        request.state.principal = account.tables["users"][self.user_id]["email_address"]
        self.query: Query = dict(request.query_params)

    def reader(self) -> Reader:
        return Reader(self.account, self.user_id)

    def answer(self) -> Record | None:
        """The body, or None for an empty 204. Raises: RefusalError."""
        parts = parts_of(self.request.url.path)
        check_path(parts)
        match self.request.method, parts:
            case "GET", ["users", "me"]:
                return self._show(COLLECTIONS["users"], self.user_id)
            case "GET", ["subscribed_events", "event_types"]:
                return self._event_types()
            case "POST", ["external_references", "create_or_update"]:
                return self._upsert_reference()
            case method, [name]:
                return self._on_collection(method, name)
            case method, [name, record_id] if record_id.isdigit():
                return self._on_record(method, name, record_id)
        raise not_found()

    def _on_collection(self, method: str, name: str) -> Record | None:
        collection = _collection(name)
        if method == "GET":
            return self._list(collection, name)
        if method == "POST" and collection.create:
            return self._create(collection)
        if method == "DELETE" and collection.key == "time_entries":
            return self._erase_many(collection)
        raise not_found()

    def _on_record(self, method: str, name: str, record_id: str) -> Record | None:
        collection = _collection(name)
        if method == "GET":
            return self._show(collection, record_id, name)
        if method in ("PUT", "PATCH") and collection.update:
            return self._update(collection, record_id)
        if method == "DELETE" and collection.deletable:
            return self._erase(collection, record_id)
        raise not_found()

    def _list(self, collection: Collection, name: str) -> Record:
        reader = self.reader()
        if collection.key == "subscribed_events" and not reader.is_admin:
            raise forbidden()
        check_listed(collection, self.query, list(reader.rows(collection.key).values()))
        rows = choose(reader, collection, self.query)
        if collection.key == "subscribed_events":
            rows = feed.readable(reader, rows, self.query)
        return envelope(reader, collection, cut(rows, self.query), self.query, key=name)

    def _show(self, collection: Collection, record_id: str, name: str | None = None) -> Record:
        reader = self.reader()
        if collection.key == "subscribed_events" and not reader.is_admin:
            raise forbidden()
        row = reader.rows(collection.key).get(record_id)
        if not row or not is_shown(reader, collection.key, row, self.query):
            raise not_found()
        return single(reader, collection, [row], self.query, name)

    def _event_types(self) -> Record:
        if not self.reader().is_admin:
            raise forbidden()
        return {"subscribed_event_types": feed.event_types(), "subscribed_event_type_schemas": {}}

    def _create(self, collection: Collection) -> Record:
        wanted = self._wrapped(collection)
        self._may_write(collection)
        unit = Unit(self.account, self.user_id)
        return self._finish(
            unit,
            collection,
            lambda: [writing.create(unit, collection.key, self._heard(each, {})) for each in wanted],
        )

    def _upsert_reference(self) -> Record:
        collection = COLLECTIONS["external_references"]
        fields = self._wrapped(collection)[0]
        unit = Unit(self.account, self.user_id)
        missing = [name for name in collection.required if not fields.get(name)]
        if missing:
            raise invalid(missing[0], collection.required[missing[0]])
        known = {name: value for name, value in fields.items() if name in collection.create}
        return self._finish(unit, collection, lambda: [extension.create_or_update_reference(unit, known)])

    def _update(self, collection: Collection, record_id: str) -> Record:
        row = self._target(collection, record_id)
        fields = self._wrapped(collection)[0]
        self._may_write(collection)
        unit = Unit(self.account, self.user_id)
        return self._finish(
            unit, collection, lambda: [writing.update(unit, collection.key, row, self._heard(fields, row))]
        )

    def _erase(self, collection: Collection, record_id: str) -> None:
        row = self._target(collection, record_id)
        self._may_write(collection)
        self._run_erase(collection, [row])

    def _erase_many(self, collection: Collection) -> None:
        """All or nothing, 100 at most; ids in the query or in the body."""
        try:
            ids = as_ids(self.query.get("ids") or read_body(self.request).get("ids") or [])
        except ValueError:
            raise invalid("ids", "is invalid") from None
        if not ids or len(ids) > MOST_DELETED:
            raise invalid("ids", f"must name 1 to {MOST_DELETED} records")
        self._run_erase(collection, [self._target(collection, each) for each in ids])

    def _run_erase(self, collection: Collection, rows: list[Record]) -> None:
        unit = Unit(self.account, self.user_id)
        try:
            for row in rows:
                writing.erase(unit, collection.key, row)
        except RefusalError:
            unit.rollback()
            raise
        feed.publish(self.account, unit.commit())

    def _finish(self, unit: Unit, collection: Collection, work: Any) -> Record:
        """Run the changes, then tell and show them; refused, none of them has been."""
        check_shown(collection, self.query)
        try:
            rows = work()
        except RefusalError:
            unit.rollback()
            raise
        except ValueError as wrong:
            unit.rollback()
            raise invalid("base", str(wrong)) from None
        feed.publish(self.account, unit.commit())
        return single(self.reader(), collection, rows, self.query)

    def _target(self, collection: Collection, record_id: str) -> Record:
        """The record to change; an archived one can still be changed, a deleted one not."""
        reader = self.reader()
        row = reader.rows(collection.key).get(record_id)
        if not row or not reader.sees(collection.key, row):
            raise not_found()
        return row

    def _wrapped(self, collection: Collection) -> list[Record]:
        """The wrapper's content: one under the singular key, many under the plural. Raises: RefusalError."""
        body = read_body(self.request)
        if isinstance(body.get(collection.singular), dict):
            return [body[collection.singular]]
        many = body.get(collection.key)
        if self.request.method != "POST" or not collection.bulk or not isinstance(many, list):
            raise system(400, f"param is missing or the value is empty: {collection.singular}")
        if not many or not all(isinstance(each, dict) for each in many):
            raise system(400, f"param is missing or the value is empty: {collection.key}")
        if len(many) > collection.bulk:
            raise invalid(collection.key, f"cannot exceed {collection.bulk} items in one request")
        return many

    def _may_write(self, collection: Collection) -> None:
        reader = self.reader()
        if collection.admin_writes and not reader.is_admin:
            raise forbidden()
        if collection.key == "workspaces" and self.request.method == "POST" and not self._may_open():
            raise forbidden()

    def _may_open(self) -> bool:
        mine = self.account.tables["account_memberships"].values()
        return any(row["user_id"] == self.user_id and row["can_create_workspace"] for row in mine)

    def _heard(self, fields: Record, row: Record) -> Record:
        """The fields this user may set; the rest is ignored in silence. Foreign projects are refused."""
        reader = self.reader()
        if reader.is_admin:
            return fields
        try:
            workspace_id = as_id(fields.get("workspace_id")) or row.get("workspace_id")
        except ValueError:
            workspace_id = None
        if workspace_id and not reader.may_edit(workspace_id):
            raise forbidden()
        project = workspace_id or (row.get("id") if "status_key" in row else None)
        if project is None or reader.sees_money(project):
            return fields
        return {name: value for name, value in fields.items() if name not in MONEY_FIELDS | {"user_id"}}


def _collection(name: str) -> Collection:
    collection = COLLECTIONS.get(ALIASES.get(name, name))
    if not collection:
        raise not_found()
    return collection
