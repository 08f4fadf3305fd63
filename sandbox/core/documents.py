"""A stand-in whose records are JSON documents in tables, behind a login: where a new stand-in begins.

    POST  /token                      a token for the client credentials (RFC 6749, Basic), of an hour
    GET   /{table}/{id}               one document
    GET   /{table}?key=K              the documents under a key
    GET   /{table}?since=&after=&limit=   by last change, oldest first: {"items": [...], "more": true}
    PUT   /{table}/by-key/{key}       the one document of the key, created or brought to this state
    GET   /jobs/{id}                  of a PUT that was answered 202: running, done or refused
    PATCH /{table}/{id}               {"set": {...}, "if": {...}}; 412 where a condition does not hold

A document has `id`, `key`, `version` and `changed_at` beside its own fields; a write that changes nothing
leaves them.
"""

from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.core.accounts import Account, World
from sandbox.core.vendor import Vendor
from sandbox.core.wire import BadJson, answer, body_of, loads

Document = dict[str, Any]
_OURS = ("id", "key", "version", "changed_at")
_REFUSALS = {404: "there is no such record", 412: "the record is not in that state", 422: "not a record"}


class DocumentVendor(Vendor):
    """Set `name`, `title` and `tables`, and fill new accounts in `seed`."""

    request_id_header = "x-request-id"
    tables: tuple[str, ...] = ()
    longest_key: int = 120
    later: tuple[str, ...] = ()
    """Tables to which a PUT is accepted first (202) and done when its job is asked for the second time."""

    def seed(self, account: Account) -> None:
        """Nothing: a new account is empty."""

    def credentials(self, account: Account, base_url: str) -> dict[str, Any]:
        return {
            "base_url": base_url,
            "client_id": f"client-{account.name}",
            "client_secret": account.secret("client"),
        }

    def environment(self, account: Account, base_url: str, files: Path) -> dict[str, str]:  # noqa: ARG002
        known = self.credentials(account, base_url)
        return {f"{self.name}_{name}".upper(): value for name, value in known.items()}

    def account_of(self, world: World, request: Request) -> Account | None:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            client = b64decode(given).decode().partition(":")[0]
            return world.find(lambda account: client == f"client-{account.name}")
        return world.find(lambda account: given in account.extra.get("tokens", ()))

    def routes(self, world: World) -> list[BaseRoute]:  # noqa: ARG002 - a vendor may need it
        return [
            Route("/token", self._token, methods=["POST"]),
            Route("/jobs/{id}", self._job, methods=["GET"]),
            Route("/{table}", self._guarded(self._list), methods=["GET"]),
            Route("/{table}/by-key/{key}", self._guarded(self._put), methods=["PUT"]),
            Route("/{table}/{id}", self._guarded(self._get), methods=["GET"]),
            Route("/{table}/{id}", self._guarded(self._patch), methods=["PATCH"]),
        ]

    def create(self, account: Account, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        """A person creates a document. Raises: KeyError for an unknown table."""
        made = {"id": str(1000 + account.next_number(record_type)), "key": "", "version": 0, **fields}
        self._table(account, record_type)[made["id"]] = made
        return self._saved(account, made)

    def edit(
        self, account: Account, record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        """A person edits a document. Raises: KeyError."""
        document = self._table(account, record_type)[record_id]
        if any(document.get(name) != value for name, value in fields.items()):
            document.update(fields)
            self._saved(account, document)
        return document

    def insert(self, account: Account, record_type: str, record: dict[str, Any]) -> str:
        return self.create(account, record_type, record)["id"]

    def refusal(self, table: str, document: Document) -> str:  # noqa: ARG002 - a default
        """Why the vendor does not take a document that is put; empty where it does."""
        return ""

    def _table(self, account: Account, name: str) -> dict[str, Document]:
        if name not in self.tables:
            raise KeyError(name)
        return account.tables.setdefault(name, {})

    @staticmethod
    def _saved(account: Account, document: Document) -> Document:
        document["version"] += 1
        document["changed_at"] = account.clock.now().isoformat()
        account.touch()
        return document

    def _guarded(self, handler: Any) -> Any:
        async def guarded(request: Request) -> Response:
            account = request.state.account
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if account is None or account.is_dead(token):
                return answer({"error": "no such token"}, 401)
            try:
                return handler(account, self._table(account, request.path_params["table"]), request)
            except KeyError:
                return self.error(request, 404)
            except (BadJson, ValueError, AttributeError, TypeError):
                return self.error(request, 422)

        return guarded

    def error(self, request: Request, status: int) -> Response:  # noqa: ARG002 - the core's form
        return answer({"error": _REFUSALS.get(status, f"status {status}")}, status)

    async def _token(self, request: Request) -> Response:
        account = request.state.account
        given = b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if account is None or given.partition(":")[2] != account.secret("client"):
            return answer({"error": "invalid_client"}, 401)
        token = account.token("access")
        account.extra.setdefault("tokens", []).append(token)
        account.touch()
        return answer({"access_token": token, "token_type": "Bearer", "expires_in": 3600})

    def _get(self, _account: Account, table: dict[str, Document], request: Request) -> Response:
        return answer(table[request.path_params["id"]])

    def _list(self, _account: Account, table: dict[str, Document], request: Request) -> Response:
        query = dict(request.query_params)
        since, after, limit = query.pop("since", ""), query.pop("after", ""), int(query.pop("limit", "50"))
        begin = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
        rows = [
            one
            for one in table.values()
            if (_place(one) > (begin, after) if after else _at(one) >= begin)
            and all(str(one.get(name)) == value for name, value in query.items())
        ]
        rows.sort(key=_place)
        return answer({"items": rows[:limit], "more": len(rows) > limit})

    def _put(self, account: Account, _table: dict[str, Document], request: Request) -> Response:
        fields, name, key = self._fields(request), request.path_params["table"], request.path_params["key"]
        if len(key) > self.longest_key:
            return answer({"error": f"a key has at most {self.longest_key} characters"}, 422)
        if name in self.later:
            handle = str(account.next_number("job"))
            waiting = account.extra.setdefault("jobs", {})
            waiting[handle] = {"table": name, "key": key, "fields": fields, "state": "accepted"}
            account.touch()
            return answer({"job": handle}, 202)
        if reason := self.refusal(name, fields):
            return answer({"error": reason}, 422)
        made, created = self._save(account, name, key, fields)
        return answer(made, 201 if created else 200)

    def _save(self, account: Account, name: str, key: str, fields: Document) -> tuple[Document, bool]:
        known = next((one for one in self._table(account, name).values() if one["key"] == key), None)
        if known is None:
            return self.create(account, name, {**fields, "key": key}), True
        return self.edit(account, name, known["id"], fields), False

    async def _job(self, request: Request) -> Response:
        account = request.state.account
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if account is None or account.is_dead(token):
            return answer({"error": "no such token"}, 401)
        job = account.extra.get("jobs", {}).get(request.path_params["id"])
        if job is None:
            return self.error(request, 404)
        if job["state"] == "running":
            job["reason"] = self.refusal(job["table"], job["fields"])
            job["state"] = "refused" if job["reason"] else "done"
            if job["state"] == "done":
                self._save(account, job["table"], job["key"], job["fields"])
        if job["state"] == "accepted":
            job["state"] = "running"
        account.touch()
        return answer({"state": job["state"], "reason": job.get("reason", "")})

    def _patch(self, account: Account, table: dict[str, Document], request: Request) -> Response:
        document, body = table[request.path_params["id"]], loads(body_of(request))
        if any(document.get(name) != value for name, value in body.get("if", {}).items()):
            return self.error(request, 412)
        return answer(self.edit(account, request.path_params["table"], document["id"], body["set"]))

    @staticmethod
    def _fields(request: Request) -> Document:
        return {name: value for name, value in loads(body_of(request)).items() if name not in _OURS}


def _at(document: Document) -> datetime:
    return datetime.fromisoformat(document["changed_at"])


def _place(document: Document) -> tuple[datetime, str]:
    return _at(document), document["id"]
