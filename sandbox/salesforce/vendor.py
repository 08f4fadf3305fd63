"""The Salesforce stand-in as the core sees it: credentials, routes, people's edits and the gRPC port."""

import asyncio
import os
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc.aio
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Account, ControlError, Vendor, World, answer
from sandbox.core.server import PortInUse
from sandbox.salesforce import northbeam, sessions, usage
from sandbox.salesforce.desk import Desk
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.events.pubsub import PubSub
from sandbox.salesforce.events.stream import append
from sandbox.salesforce.keys import private_key
from sandbox.salesforce.oauth import OAuth, bearer, client_of, form_of, unverified_claims
from sandbox.salesforce.proto.pubsub_api_pb2_grpc import add_PubSubServicer_to_server
from sandbox.salesforce.records.org import org_of
from sandbox.salesforce.rest import front
from sandbox.salesforce.schema.changes import apply_change
from sandbox.salesforce.schema.standard import standard_objects

PUBSUB_HOST = "api.pubsub.salesforce.com"
LIMITS = {
    "daily_api_requests", "concurrent_api_requests", "session_seconds", "page_size", "child_page_size",
    "cursor_seconds", "pubsub_available",
}  # fmt: skip
STOP_SECONDS = 0.5
ERRORS = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    404: ("NOT_FOUND", "The requested resource does not exist"),
    405: ("METHOD_NOT_ALLOWED", "HTTP Method not allowed."),
    429: (
        "REQUEST_LIMIT_EXCEEDED",
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
    ),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId: 1-1 (1)"),
    502: ("SERVER_UNAVAILABLE", "Server is unavailable"),
    503: ("SERVER_UNAVAILABLE", "Server is unavailable"),
    504: ("QUERY_TIMEOUT", "Your query request was running for too long."),
}
# These come without a body: Salesforce's edge cannot route the call yet.
EDGE = {406, 420}


class Salesforce(Vendor):
    name = "salesforce"
    title = "Salesforce"
    request_id_header = "x-sfdc-request-id"
    logged_headers = "sforce-.*"

    def __init__(self, pubsub_port: int = 0, pubsub_tls_port: int = 0) -> None:
        """A port of 0 takes a free one."""
        self.wanted_pubsub_port = pubsub_port
        self.wanted_pubsub_tls_port = pubsub_tls_port
        self.pubsub_endpoint = ""
        self.pubsub_tls_endpoint = ""
        self.ca_file = ""
        self._grpc: grpc.aio.Server | None = None

    def take_options(self, options: dict[str, int]) -> None:
        self.wanted_pubsub_port = options["pubsub-port"]
        self.wanted_pubsub_tls_port = options["pubsub-tls-port"]

    def seed(self, account: Account) -> None:
        northbeam.seed(account)

    def credentials(self, account: Account, base_url: str) -> dict[str, Any]:
        org = org_of(account)
        return {
            "login_url": base_url,
            "instance_url": base_url,
            "my_domain_url": f"https://{org.domain}",
            "org_id": org.org_id,
            "client_id": sessions.client_id(org),
            "client_secret": sessions.client_secret(org),
            "username": org.integration_user()["Username"],
            "private_key": private_key(account),
            "refresh_token": sessions.first_refresh_token(org),
            "pubsub_endpoint": self.pubsub_endpoint,
            "pubsub_tls_endpoint": self.pubsub_tls_endpoint,
            "ca_file": self.ca_file,
        }

    def environment(self, account: Account, base_url: str, files: Path) -> dict[str, str]:
        known = self.credentials(account, base_url)
        key_file = files / f"salesforce-{account.name}.pem"
        with os.fdopen(os.open(key_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
            out.write(known["private_key"])
        return {
            "SALESFORCE_LOGIN_URL": known["login_url"],
            "SALESFORCE_INSTANCE_URL": known["instance_url"],
            "SALESFORCE_MY_DOMAIN_URL": known["my_domain_url"],
            "SALESFORCE_ORG_ID": known["org_id"],
            "SALESFORCE_CLIENT_ID": known["client_id"],
            "SALESFORCE_CLIENT_SECRET": known["client_secret"],
            "SALESFORCE_USERNAME": known["username"],
            "SALESFORCE_PRIVATE_KEY_FILE": str(key_file),
            "SALESFORCE_PUBSUB_ENDPOINT": known["pubsub_endpoint"],
            "SALESFORCE_PUBSUB_TLS_ENDPOINT": known["pubsub_tls_endpoint"],
            "SALESFORCE_CA_FILE": known["ca_file"],
        }

    def routes(self, world: World) -> list[BaseRoute]:
        self._open_pubsub(world)
        oauth = OAuth(world)
        return [
            Route("/services/oauth2/token", oauth.token, methods=["GET", "POST"]),
            Route("/services/oauth2/revoke", oauth.revoke, methods=["GET", "POST"]),
            Route("/services/oauth2/userinfo", oauth.userinfo, methods=["GET", "POST"]),
            *front.data_routes(),
        ]

    def _open_pubsub(self, world: World) -> None:
        """The ports are taken here, before anything is printed; calls are served once `background` runs."""
        # Without this option a second server would share the port, and each get some of the calls.
        server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        add_PubSubServicer_to_server(PubSub(world), server)
        host = urlsplit(world.base_url).hostname or "127.0.0.1"
        _must_be_free(host, self.wanted_pubsub_port, "--pubsub-port")
        port = server.add_insecure_port(f"{host}:{self.wanted_pubsub_port}")
        _must_be_free(host, self.wanted_pubsub_tls_port, "--pubsub-tls-port")
        pair = world.authority.key_and_certificate(host, "localhost")
        tls_port = server.add_secure_port(
            f"{host}:{self.wanted_pubsub_tls_port}", grpc.ssl_server_credentials([pair])
        )
        self._grpc, self.ca_file = server, str(world.authority.file)
        self.pubsub_endpoint, self.pubsub_tls_endpoint = f"{host}:{port}", f"{host}:{tls_port}"
        world.tunnels[PUBSUB_HOST] = port

    async def background(self, world: World, stop: asyncio.Event) -> None:  # noqa: ARG002 - the core's form
        server = self._grpc
        if server is None:
            return
        await server.start()
        await stop.wait()
        await server.stop(STOP_SECONDS)

    def account_of(self, world: World, request: Request) -> Account | None:
        """By the token's org, else by the client that asks for one, else by the org's own host."""
        org = sessions.org_of_token(world, bearer(request))
        if org:
            return org.account
        if request.url.path.startswith("/services/oauth2/"):
            found = self._account_of_client(world, request)
            if found:
                return found
        host = request.headers.get("host", "").partition(":")[0].lower()
        return world.find(lambda account: org_of(account).domain == host)

    def _account_of_client(self, world: World, request: Request) -> Account | None:
        form = form_of(request)
        known = client_of(request, form)[0] or unverified_claims(form.get("assertion", "")).get("iss")
        found = world.find(lambda account: sessions.client_id(org_of(account)) == known)
        if found is None and form.get("token"):
            org = sessions.org_of_token(world, form["token"])
            return org.account if org else None
        return found

    def admit(self, account: Account, request: Request) -> Response | None:
        return front.admit(account, request)

    def counted(self, request: Request) -> bool:
        return request.url.path.startswith("/services/data/v")

    def error(self, request: Request, status: int) -> Response:
        if request.url.path.startswith("/services/oauth2/"):
            return answer({"error": "unknown_error", "error_description": "retry your request"}, status)
        headers = front.common_headers(request)
        if status in EDGE:
            return answer(None, status, headers)
        code, message = ERRORS.get(status, ("UNKNOWN_EXCEPTION", f"Status {status}"))
        return answer([{"message": message, "errorCode": code}], status, headers)

    def deliver(self, account: Account, event: dict[str, Any]) -> None:
        append(org_of(account), event)

    def insert(self, account: Account, record_type: str, record: dict[str, Any]) -> str:
        return Desk(account).put(record_type, record)

    def edit(
        self, account: Account, record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        return _understood(lambda: Desk(account).edit(record_type, record_id, fields))

    def create(self, account: Account, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        return _understood(lambda: Desk(account).create(record_type, fields))

    def delete(self, account: Account, record_type: str, record_id: str) -> None:
        _understood(lambda: Desk(account).delete(record_type, record_id))

    def merge(self, account: Account, record_type: str, record_id: str, into: str) -> None:
        _understood(lambda: Desk(account).merge(record_type, record_id, into))

    def restore(self, account: Account, record_type: str, record_id: str) -> None:
        _understood(lambda: Desk(account).restore(record_type, record_id))

    def change_schema(self, account: Account, change: dict[str, Any]) -> None:
        rule = change.get("validation_rule")
        if rule:
            stored = {"object": change["object"], **rule}
            account.extra.setdefault("validation_rules", []).append(stored)
            return
        objects = dict(org_of(account).objects)
        # Tried on a copy first: a bad change must not stay and spoil every later look at the metadata.
        apply_change(objects, change)
        name = (change.get("add_field") or {}).get("name", "")
        if name and (
            name in standard_objects()[change["object"]].fields or not re.fullmatch(r"\w+__c", name)
        ):
            raise ControlError("A custom field's name ends in __c")
        account.extra.setdefault("schema", []).append(change)

    def limits(self, account: Account) -> dict[str, Any]:
        org = org_of(account)
        own = {
            "daily_api_requests": usage.allowed(org), "concurrent_api_requests": usage.concurrency(org),
            "session_seconds": sessions.SESSION_SECONDS, "pubsub_available": True,
        }  # fmt: skip
        return own | account.extra.get("limits", {}) | {"used_api_requests": usage.used(org)}

    def set_limits(self, account: Account, limits: dict[str, Any]) -> None:
        unknown = set(limits) - LIMITS - {"used_api_requests"}
        if unknown:
            raise ControlError(f"Limits are {', '.join(sorted(LIMITS))}; not {', '.join(sorted(unknown))}")
        org = org_of(account)
        if "used_api_requests" in limits:
            account.extra["usage"] = {}
            usage.spend(org, int(limits["used_api_requests"]))
        account.extra.setdefault("limits", {}).update({k: v for k, v in limits.items() if k in LIMITS})
        for waiting in list(org.waiting):
            waiting.set()


def _must_be_free(host: str, port: int, option: str) -> None:
    """Asked before gRPC tries, which would write lines of its own to stderr. Raises: PortInUse."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as problem:
            message = f"Port {port} is in use: stop what listens there or choose another with {option}."
            raise PortInUse(message) from problem


def _understood(act: Any) -> Any:
    """What a person at the screen would read in words becomes a refusal of the control API."""
    try:
        return act()
    except Refused as refused:
        raise ControlError(str(refused)) from refused


VENDOR = Salesforce()
