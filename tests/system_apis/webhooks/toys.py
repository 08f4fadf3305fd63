"""tests: vendors that call us, each as strict as a real one, and the receivers of their connectors."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from contracts.events.kinds import CUSTOMER_CHANGED, RecordChanged
from contracts.problems import BadRequest, InvalidToken, NotFound
from kit import clock
from kit.http import Outbound
from kit.secrets import Secret
from system_apis.connector import (
    Delivery,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
    WebhookResult,
    ordering_key,
)
from system_apis.connector.signatures import HmacSignature
from system_apis.connector.stored_webhooks import Secrets
from system_apis.connector.webhooks import Registration
from tests.kit.http.stand import Asked, Reply, Stand, open_stand

DAYS = 3


@dataclass
class LedgerVendor:
    """Registers an address for three days, after a handshake; repeats the client state in each call."""

    stand: Stand
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    handshakes: int = 0
    version: int = 0
    die_after_creation: bool = False

    def __post_init__(self) -> None:
        self.stand.answer = self.answer

    async def answer(self, asked: Asked) -> Reply:  # noqa: PLR0911 - a vendor's routes
        self._expire()
        matched = re.fullmatch(r"/subscriptions\('(\w+)'\)", asked.path)
        if matched is None:
            if asked.method == "GET":
                listed = [
                    {k: v for k, v in each.items() if k != "clientState"} for each in self.registered.values()
                ]
                return _json(200, {"value": listed})
            return await self._create(msgspec.json.decode(asked.body))
        one = self.registered.get(matched[1])
        if one is None:
            return _json(404, {"error": {"code": "NotFound"}})
        if asked.headers.get("if-match") != one["@odata.etag"]:
            return _json(409, {"error": {"code": "Request_EntityChanged"}})
        if asked.method == "DELETE":
            del self.registered[matched[1]]
            return Reply(204, b"")
        if not await self._shakes_hands(one["notificationUrl"]):
            return _json(400, {"error": {"code": "BadRequest_NotificationUrl"}})
        return _json(200, self._prolonged(one))

    async def notify(self) -> list[httpx.Response]:
        """Call every registered address: something has changed."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return [
                await http.post(
                    each["notificationUrl"],
                    json={"value": [{"subscriptionId": ident, "clientState": each["clientState"]}]},
                )
                for ident, each in self.registered.items()
            ]

    async def _create(self, wanted: dict[str, str]) -> Reply:
        if not await self._shakes_hands(wanted["notificationUrl"]):
            return _json(400, {"error": {"code": "BadRequest_NotificationUrl"}})
        ident = f"{len(self.registered):032x}"
        self.registered[ident] = self._prolonged({"subscriptionId": ident, **wanted})
        return Reply(drop=True) if self.die_after_creation else _json(201, self.registered[ident])

    async def _shakes_hands(self, url: str) -> bool:
        self.handshakes += 1
        token = f"tok en&{self.handshakes}"
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.post(f"{url}?validationToken={quote(token)}")
        plain = answer.headers.get("content-type", "").startswith("text/plain")
        return answer.status_code == 200 and plain and answer.text == token

    def _prolonged(self, one: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        one["@odata.etag"] = f'W/"{self.version}"'
        one["expirationDateTime"] = (clock.now() + dt.timedelta(days=DAYS)).isoformat()
        return one

    def _expire(self) -> None:
        for ident, one in list(self.registered.items()):
            if dt.datetime.fromisoformat(one["expirationDateTime"]) <= clock.now():
                del self.registered[ident]


def _json(status: int, content: Any) -> Reply:
    return Reply(status, msgspec.json.encode(content), {"Content-Type": "application/json"})


class LedgerLifecycle:
    """Registers at the ledger vendor."""

    name = ""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def registered(self, address: str) -> tuple[Registration, ...]:
        return tuple(_registration(one) for one in await self._listed() if one["notificationUrl"] == address)

    async def register(self, address: str, secret: str) -> Registration:
        body = {"notificationUrl": address, "clientState": secret}
        return _registration(
            (await self._outbound.send("POST", "/subscriptions", body=body)).json(dict[str, Any])
        )

    async def renew(self, registration: Registration, address: str, secret: str) -> Registration:
        del address, secret
        return _registration((await self._changed("PATCH", registration)).json(dict[str, Any]))

    async def remove(self, registration: Registration) -> None:
        await self._changed("DELETE", registration)

    async def _changed(self, method: str, registration: Registration) -> Any:
        known = {one["subscriptionId"]: one["@odata.etag"] for one in await self._listed()}
        if registration.id not in known:
            raise NotFound
        path = f"/subscriptions('{registration.id}')"
        return await self._outbound.send(method, path, headers={"If-Match": known[registration.id]})

    async def _listed(self) -> list[dict[str, str]]:
        answer = await self._outbound.send("GET", "/subscriptions")
        return answer.json(dict[str, list[dict[str, str]]])["value"]


def _registration(one: Mapping[str, str]) -> Registration:
    return Registration(one["subscriptionId"], dt.datetime.fromisoformat(one["expirationDateTime"]))


class LedgerReceiver(WebhookReceiver):
    """Answers handshakes; a call with our client state means: look."""

    def __init__(self, outbound: Outbound, secrets: Secrets) -> None:
        self.lifecycles = (LedgerLifecycle(outbound),)
        self._secrets = secrets

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        token = request.query.get("validationToken")
        if token is not None:
            return WebhookResult(answer=WebhookAnswer(200, "text/plain; charset=utf-8", token.encode()))
        try:
            events = msgspec.json.decode(request.body, type=dict[str, list[dict[str, str]]])["value"]
        except (msgspec.DecodeError, KeyError):
            raise BadRequest("not a notification") from None
        valid = [secret.reveal().encode() for secret in await self._secrets()]
        for event in events:
            given = event.get("clientState", "").encode()
            if not any([hmac.compare_digest(given, each) for each in valid]):  # noqa: C419 - all are compared
                raise InvalidToken("the notification has not our client state")
        return WebhookResult(look_now=True, answer=WebhookAnswer(200))


PEOPLE = HmacSignature(
    header="x-people-signature",
    signed=lambda request, stamp: request.body + stamp.encode(),
    timestamp_header="x-people-timestamp",
)


def people_headers(body: bytes, secret: str, at: int | None = None) -> dict[str, str]:
    """As the vendor signs: the body, then the timestamp."""
    stamp = str(int(time.time()) if at is None else at)
    mac = hmac.new(secret.encode(), body + stamp.encode(), hashlib.sha256).hexdigest()
    return {"x-people-signature": mac, "x-people-timestamp": stamp}


@dataclass
class PeopleVendor:
    """Makes the secret itself and shows it once, when the address is registered."""

    stand: Stand
    registered: dict[str, dict[str, str]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        self.stand.answer = self.answer

    async def answer(self, asked: Asked) -> Reply:
        ident = asked.path.removeprefix("/webhooks").strip("/")
        if asked.method == "GET":
            return _json(
                200, [{k: v for k, v in one.items() if k != "privateKey"} for one in self.registered.values()]
            )
        if asked.method == "DELETE":
            return Reply(200, b"gone") if self.registered.pop(ident, None) else Reply(404)
        self.made += 1
        wanted = msgspec.json.decode(asked.body, type=dict[str, str])
        one = {"id": str(self.made), "url": wanted["url"], "privateKey": f"key-{self.made}"}
        self.registered[one["id"]] = one
        return _json(201, one)


class PeopleLifecycle:
    """Registers the address `people`; the vendor's registrations do not end by themselves."""

    name = "people"

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def registered(self, address: str) -> tuple[Registration, ...]:
        listed = (await self._outbound.send("GET", "/webhooks")).json(list[dict[str, str]])
        return tuple(Registration(one["id"]) for one in listed if one["url"] == address)

    async def register(self, address: str, secret: str) -> Registration:
        del secret
        answer = await self._outbound.send("POST", "/webhooks", body={"url": address})
        one = answer.json(dict[str, str])
        return Registration(one["id"], secret=one["privateKey"])

    async def renew(self, registration: Registration, address: str, secret: str) -> Registration:
        raise AssertionError((registration, address, secret))

    async def remove(self, registration: Registration) -> None:
        await self._outbound.send("DELETE", f"/webhooks/{registration.id}")


class PeopleReceiver(WebhookReceiver):
    """Events without ids: a repetition is known by what was signed."""

    names = ("people",)

    def __init__(self, instance: str, outbound: Outbound, secrets: Secrets) -> None:
        self._instance = instance
        self._secrets = secrets
        self.lifecycles = (PeopleLifecycle(outbound),)

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        PEOPLE.verify(request, await self._secrets())
        ids = msgspec.json.decode(request.body, type=list[str])
        stem = PEOPLE.digest(request)
        return WebhookResult(tuple(changed(self._instance, ident, f"{stem}:{ident}") for ident in ids))


HUB = HmacSignature(
    header="x-hub-signature-v3",
    signed=lambda request, stamp: f"{request.method}{request.url}".encode() + request.body + stamp.encode(),
    timestamp_header="x-hub-request-timestamp",
    encoding="base64",
    ticks=1000,
)


def hub_headers(method: str, url: str, body: bytes, secret: str, at: float | None = None) -> dict[str, str]:
    """As the vendor signs: method, address, body and milliseconds."""
    stamp = str(int((time.time() if at is None else at) * 1000))
    signed = method.encode() + url.encode() + body + stamp.encode()
    mac = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    return {"x-hub-signature-v3": mac, "x-hub-request-timestamp": stamp}


def portals(request: WebhookRequest) -> set[str]:
    """The accounts that a request of the hub names."""
    try:
        return {
            str(event["portalId"]) for event in msgspec.json.decode(request.body, type=list[dict[str, Any]])
        }
    except (msgspec.DecodeError, KeyError):
        raise BadRequest("not the hub's events") from None


class HubReceiver(WebhookReceiver):
    """One address for all accounts of an app: each takes the events of its own."""

    def __init__(self, instance: str, account: str, secret: Secret) -> None:
        self._instance, self.account, self._secret = instance, account, secret

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        HUB.verify(request, [self._secret])
        events = msgspec.json.decode(request.body, type=list[dict[str, Any]])
        mine = [event for event in events if str(event["portalId"]) == self.account]
        return WebhookResult(
            tuple(changed(self._instance, str(one["objectId"]), f"{one['eventId']}") for one in mine),
            answer=WebhookAnswer(204, "text/plain", b""),
        )


def changed(instance: str, ident: str, dedupe_id: str) -> Delivery:
    at = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    change = RecordChanged(instance=instance, object="customer", id=ident, changed_at=at)
    return Delivery(dedupe_id, CUSTOMER_CHANGED, ordering_key(instance, "customer", ident), change, at)


Handle = Callable[[WebhookRequest], Any]


@asynccontextmanager
async def our_address(handle: Handle) -> AsyncIterator[Stand]:
    """A server of ours at which vendors call; it hands the request on as the gateway does."""
    async with open_stand() as stand:

        async def answer(asked: Asked) -> Reply:
            path = asked.path.partition("?")[0]
            *_, name = [*path.removeprefix("/hooks/").split("/"), ""][:2]
            request = WebhookRequest(
                asked.method, f"{stand.url}{asked.path}", asked.headers, asked.body, name
            )
            try:
                given: WebhookAnswer = await asyncio.shield(handle(request))
            except (InvalidToken, BadRequest, NotFound) as problem:
                return Reply(problem.status)
            return Reply(given.status, given.body, {"Content-Type": given.media_type})

        stand.answer = answer
        yield stand
