"""The control API under /__control: plain JSON without login, for tests; the vendor has none of it."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.core.accounts import Account, World
from sandbox.core.faults import Fault, Hold
from sandbox.core.vendor import ControlError
from sandbox.core.wire import answer, loads, origin

Handler = Callable[[Request], Awaitable[Response]]
UNDERSTOOD = (
    ControlError,
    ValueError,
    TypeError,
    AttributeError,
    re.error,
    msgspec.ValidationError,
    msgspec.DecodeError,
)


class Control:
    def __init__(self, world: World) -> None:
        self.world = world
        self.vendor = world.stand_in

    def routes(self) -> list[Route]:
        a = "/__control/accounts/{a}"
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/__control/health", self.health),
            ("POST", "/__control/accounts", self.create_account),
            ("GET", a, self.show_account),
            ("DELETE", a, self.remove_account),
            ("POST", f"{a}/reset", self.reset),
            ("POST", f"{a}/seed", self.seed),
            ("GET", f"{a}/records", self.all_records),
            ("GET", f"{a}/records/{{type}}", self.list_records),
            ("POST", f"{a}/records/{{type}}", self.create_record),
            ("GET", f"{a}/records/{{type}}/{{id}}", self.show_record),
            ("PATCH", f"{a}/records/{{type}}/{{id}}", self.edit_record),
            ("DELETE", f"{a}/records/{{type}}/{{id}}", self.delete_record),
            ("POST", f"{a}/records/{{type}}/{{id}}/merge", self.merge_record),
            ("POST", f"{a}/records/{{type}}/{{id}}/restore", self.restore_record),
            ("GET", f"{a}/calls", self.calls),
            ("DELETE", f"{a}/calls", self.clear_calls),
            ("GET", f"{a}/calls/count", self.count_calls),
            ("GET", f"{a}/clock", self.show_clock),
            ("PUT", f"{a}/clock", self.set_clock),
            ("GET", f"{a}/faults", self.list_faults),
            ("POST", f"{a}/faults", self.add_fault),
            ("DELETE", f"{a}/faults", self.clear_faults),
            ("DELETE", f"{a}/faults/{{id}}", self.remove_fault),
            ("POST", f"{a}/holds", self.add_hold),
            ("GET", f"{a}/holds/{{id}}", self.wait_hold),
            ("POST", f"{a}/holds/{{id}}/release", self.release_hold),
            ("POST", f"{a}/notifications", self.set_notifications),
            ("POST", f"{a}/notifications/flush", self.flush),
            ("POST", f"{a}/notifications/redeliver", self.redeliver),
            ("POST", f"{a}/schema", self.change_schema),
            ("GET", f"{a}/limits", self.show_limits),
            ("PUT", f"{a}/limits", self.set_limits),
        ]
        return [Route(path, _guarded(handler), methods=[method]) for method, path, handler in table]

    def _account(self, request: Request) -> Account:
        return self.world.get(request.path_params["a"])

    async def health(self, _request: Request) -> Response:
        return answer({"vendor": self.world.vendor, "accounts": sorted(self.world.accounts)})

    async def create_account(self, request: Request) -> Response:
        body = await _body(request)
        account = self.world.create(str(body["name"]), int(body.get("seed", 1)), body.get("settings"))
        return answer(self._described(account, request), 201)

    async def show_account(self, request: Request) -> Response:
        return answer(self._described(self._account(request), request))

    def _described(self, account: Account, request: Request) -> dict[str, Any]:
        base_url = origin(request)
        return {
            "name": account.name,
            "seed": account.seed,
            "settings": account.settings,
            "credentials": self.vendor.credentials(account, base_url),
            "env": self.vendor.environment(account, base_url, self.world.files),
        }

    async def remove_account(self, request: Request) -> Response:
        self.world.remove(self._account(request).name)
        return answer(None, 204)

    async def reset(self, request: Request) -> Response:
        seed = (await _body(request)).get("seed")
        account = self.world.reset(self._account(request).name, seed)
        return answer({"name": account.name, "seed": account.seed})

    async def seed(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        ids = {
            record_type: [self.vendor.insert(account, record_type, record) for record in records]
            for record_type, records in body["records"].items()
        }
        account.touch()
        return answer({"ids": ids}, 201)

    async def all_records(self, request: Request) -> Response:
        """Every table with its records by id, so that nothing that was written goes unnoticed."""
        return answer(self._account(request).tables)

    async def list_records(self, request: Request) -> Response:
        return answer(list(self._account(request).tables.get(request.path_params["type"], {}).values()))

    async def show_record(self, request: Request) -> Response:
        table = self._account(request).tables.get(request.path_params["type"], {})
        return answer(table[request.path_params["id"]])

    async def create_record(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        made = self.vendor.create(account, request.path_params["type"], body)
        account.touch()
        return answer(made, 201)

    async def edit_record(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        edited = self.vendor.edit(account, request.path_params["type"], request.path_params["id"], body)
        account.touch()
        return answer(edited)

    async def delete_record(self, request: Request) -> Response:
        account = self._account(request)
        self.vendor.delete(account, request.path_params["type"], request.path_params["id"])
        account.touch()
        return answer(None, 204)

    async def merge_record(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        self.vendor.merge(account, request.path_params["type"], request.path_params["id"], body["into"])
        account.touch()
        return answer(None, 204)

    async def restore_record(self, request: Request) -> Response:
        account = self._account(request)
        self.vendor.restore(account, request.path_params["type"], request.path_params["id"])
        account.touch()
        return answer(None, 204)

    async def calls(self, request: Request) -> Response:
        return answer(list(self._account(request).log.select(**_selection(request))))

    async def count_calls(self, request: Request) -> Response:
        return answer(self._account(request).log.count(**_selection(request)))

    async def clear_calls(self, request: Request) -> Response:
        self._account(request).log.clear()
        return answer(None, 204)

    async def show_clock(self, request: Request) -> Response:
        return answer({"now": self._account(request).clock.now()})

    async def set_clock(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        if "now" in body:
            account.clock.freeze(datetime.fromisoformat(body["now"]))
        elif "advance_seconds" in body:
            account.clock.advance(float(body["advance_seconds"]))
        elif body.get("real"):
            account.clock.real()
        else:
            raise ControlError("A clock takes now, advance_seconds or real")
        account.touch()
        return answer({"now": account.clock.now()})

    async def list_faults(self, request: Request) -> Response:
        return answer(list(self._account(request).faults.rules.values()))

    async def add_fault(self, request: Request) -> Response:
        rule = msgspec.convert(await _body(request), Fault, strict=False)
        return answer({"id": self._account(request).faults.add(rule)}, 201)

    async def clear_faults(self, request: Request) -> Response:
        self._account(request).faults.rules.clear()
        return answer(None, 204)

    async def remove_fault(self, request: Request) -> Response:
        del self._account(request).faults.rules[request.path_params["id"]]
        return answer(None, 204)

    async def add_hold(self, request: Request) -> Response:
        hold = msgspec.convert(await _body(request), Hold, strict=False)
        return answer({"id": self._account(request).holds.add(hold)}, 201)

    async def wait_hold(self, request: Request) -> Response:
        seconds = float(request.query_params.get("wait_seconds", "0"))
        return answer(
            {"held": await self._account(request).holds.wait_held(request.path_params["id"], seconds)}
        )

    async def release_hold(self, request: Request) -> Response:
        self._account(request).holds.release(request.path_params["id"])
        return answer(None, 204)

    async def set_notifications(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        account.notifications.set_mode(body["mode"], body.get("times"), int(body.get("copies", 2)))
        account.touch()
        return answer({"mode": account.notifications.mode})

    async def flush(self, request: Request) -> Response:
        account = self._account(request)
        account.touch()
        return answer({"sent": account.notifications.flush()})

    async def redeliver(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        account.touch()
        return answer({"sent": account.notifications.redeliver(int(body.get("count", 1)))})

    async def change_schema(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        self.vendor.change_schema(account, body)
        account.touch()
        return answer({"changed": True})

    async def show_limits(self, request: Request) -> Response:
        return answer(self.vendor.limits(self._account(request)))

    async def set_limits(self, request: Request) -> Response:
        account, body = self._account(request), await _body(request)
        self.vendor.set_limits(account, body)
        account.touch()
        return answer(self.vendor.limits(account))


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    body = loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise ControlError("The body is a JSON object")
    return body


def _selection(request: Request) -> dict[str, Any]:
    query = request.query_params
    return {
        "since": int(query.get("since", "0")),
        "method": query.get("method", ""),
        "path": query.get("path", ""),
    }


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except KeyError as missing:
            return answer({"error": f"There is no {missing.args[0]!r} here"}, 404)
        except UNDERSTOOD as problem:
            return answer({"error": str(problem)}, 400)

    return guarded


def control_app(world: World) -> Starlette:
    return Starlette(routes=Control(world).routes())
