"""The ASGI wrapper around a vendor's routes: find account, log, limits, hold, fault, route, hold, fault."""

import asyncio
import re
import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from sandbox.core.accounts import Account, World
from sandbox.core.calllog import Call, CallLog, clip
from sandbox.core.clock import Clock
from sandbox.core.control import control_app
from sandbox.core.faults import Fault
from sandbox.core.wire import answer

LOGGED_HEADERS = (
    r"user-agent|content-type|accept|prefer|if-match|if-none-match|idempotency-key|traceparent|x-correlation-id"
    r"|x-request-id"
)


class DropConnection(Exception):  # noqa: N818 - an order, not an error
    """This call's connection is to be closed without an answer."""


class Wrapper:
    """The whole application of a stand-in. A call goes on to its end even when its client has gone: nothing
    cancels it, and nobody looks at the connection while it runs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.vendor = world.stand_in
        self.routes = Starlette(
            routes=self.vendor.routes(world), exception_handlers={HTTPException: self._refusal}
        )
        self.control = control_app(world)
        self.logged_headers = re.compile("|".join(filter(None, (LOGGED_HEADERS, self.vendor.logged_headers))))
        self.strangers = CallLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith("/__control"):
            await self.control(scope, receive, send)
            return
        # uvicorn copies this dict per connection, not per request: take our own.
        scope["state"] = {**scope.get("state", {}), "body": await _read(receive)}
        try:
            response = await self._serve(Request(scope))
        except DropConnection:
            await _abort(scope)
            return
        await response(scope, receive, send)

    async def _serve(self, request: Request) -> Response:
        account = self.vendor.account_of(self.world, request)
        request.state.account = account
        request.state.principal = None
        log = account.log if account else self.strangers
        counted = self.vendor.counted(request)
        at = (account.clock if account else Clock()).now().isoformat()
        call = log.enter(at, request.method, request.url.path, request.url.query, counted=counted)
        request.state.call = call
        started = time.perf_counter()
        try:
            response = await (self._stand_in(account, request, call) if account else self._route(request))
            self._note_answer(call, response)
        finally:
            log.leave(counted=counted)
            call.duration_ms = round((time.perf_counter() - started) * 1000, 3)
            self._note_question(request, call)
        return response

    async def _stand_in(self, account: Account, request: Request, call: Call) -> Response:
        refusal = self.vendor.admit(account, request)
        if refusal:
            return refusal
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        text = request.state.body.decode("utf-8", "replace")
        await account.holds.stop_at("before", call.seq, request.method, target, text)
        fault = account.faults.strike(request.method, target, text)
        if fault:
            call.fault = ", ".join(f"{key}={value}" for key, value in fault.effect.items())[:200]
            early = await self._before(fault, account, request)
            if early:
                return early
        response = await self._route(request)
        await account.holds.stop_at("after", call.seq, request.method, target, text)
        return (self._after(fault, request) if fault else None) or response

    async def _before(self, fault: Fault, account: Account, request: Request) -> Response | None:
        effect = fault.effect
        if "latency_ms" in effect:
            await asyncio.sleep(effect["latency_ms"] / 1000)
        if "expire_token" in effect:
            self.vendor.expire_token(account, request)
        if "commit_late_ms" in effect:
            await _abort(request.scope)
            await asyncio.sleep(effect["commit_late_ms"] / 1000)
        if effect.get("drop") == "before":
            raise DropConnection
        return None if fault.after else self._spoiled(fault, request)

    def _after(self, fault: Fault, request: Request) -> Response | None:
        if fault.effect.get("drop") == "after" or "commit_late_ms" in fault.effect:
            raise DropConnection
        return self._spoiled(fault, request) if fault.after else None

    def _spoiled(self, fault: Fault, request: Request) -> Response | None:
        effect = fault.effect
        if "status" in effect:
            return self.vendor.error(request, int(effect["status"]))
        if "html" in effect:
            status = int(effect["html"])
            return HTMLResponse(
                f"<html><head><title>{status}</title></head><body>Gateway</body></html>", status
            )
        if "answer" in effect:
            return _canned(effect["answer"])
        return None

    async def _route(self, request: Request) -> Response:
        """The vendor's answer, whole, so that it can still be withheld after its effect."""
        caught = _Caught()
        await self.routes(request.scope, _nothing_more, caught.send)
        return caught.response()

    async def _refusal(self, request: Request, problem: Exception) -> Response:
        return self.vendor.error(request, getattr(problem, "status_code", 500))

    def _note_question(self, request: Request, call: Call) -> None:
        call.auth = request.state.principal
        call.headers_subset = {k: v for k, v in request.headers.items() if self.logged_headers.fullmatch(k)}
        secret = re.search(self.vendor.secret_paths, call.path)
        call.request_body = "(not stored)" if secret else clip(request.state.body)

    def _note_answer(self, call: Call, response: Response) -> None:
        call.status = response.status_code
        call.request_id = (
            response.headers.get(self.vendor.request_id_header) if self.vendor.request_id_header else None
        )
        secret = re.search(self.vendor.secret_paths, call.path)
        call.response_body = "(not stored)" if secret else clip(bytes(response.body))


class _Caught:
    """What a route sent, stored."""

    def __init__(self) -> None:
        self.start: Message = {"status": 500, "headers": []}
        self.body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
        else:
            self.body += message.get("body", b"")

    def response(self) -> Response:
        response = Response(bytes(self.body), self.start["status"])
        response.raw_headers = list(self.start["headers"])
        return response


def _canned(spec: dict[str, Any]) -> Response:
    body = spec.get("body")
    status, headers = int(spec.get("status", 200)), spec.get("headers")
    if isinstance(body, str):
        return Response(body, status, headers, spec.get("media_type", "application/json"))
    return answer(body, status, headers, spec.get("media_type", "application/json"))


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return bytes(body)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _abort(scope: Scope) -> None:
    """Close this call's connection without an answer; a server of another kind sees an exception instead."""
    connection = scope["state"].get("connection")
    if connection is None:
        raise DropConnection
    connection.transport.abort()
    # The protocol learns of it in the loop's next turn; only then does it not complain of a missing answer.
    await asyncio.sleep(0)
