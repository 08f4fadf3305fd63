"""system_apis: the signed push of our User Event script at NetSuite, verified as our guide to it defines."""

import time
from collections.abc import Callable

import msgspec

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from contracts.problems import BadRequest, InvalidToken, NotFound
from kit.secrets import Secret
from system_apis.connector import Delivery, WebhookReceiver, WebhookRequest, WebhookResult, ordering_key
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.signatures import HmacSignature
from system_apis.vendors.netsuite.mapping.values import canonical_id
from system_apis.vendors.netsuite.records import NetSuitePush

_NOUNS = {"customer": ("customer", CUSTOMER_CHANGED), "salesorder": ("contract", CONTRACT_CHANGED)}


class Push(WebhookReceiver):
    """Verifies the thin events of our own script at NetSuite, signed with a shared secret."""

    def __init__(
        self,
        instance: str,
        secret: Secret,
        own_writes: OwnWrites,
        *,
        skew_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._instance = instance
        self._secret = secret
        self._own_writes = own_writes
        self._signature = HmacSignature(
            header="x-ns-signature",
            signed=lambda request, stamp: stamp.encode() + b"." + request.body,
            timestamp_header="x-ns-timestamp",
            prefix="sha256=",
            skew_seconds=skew_seconds,
            now=now,
        )

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """A push's change; raises InvalidToken when forged or stale, BadRequest when unreadable.

        The event id names a delivery, so a replay has the id of an earlier one.
        """
        self._signature.verify(request, [self._secret])
        try:
            push = msgspec.json.decode(request.body, type=NetSuitePush)
        except msgspec.DecodeError:
            raise BadRequest("the push is not what our script sends") from None
        # The header is not signed; the body is.
        if push.event_id != request.headers.get("x-ns-event-id"):
            raise InvalidToken("the push names two events")
        known = _NOUNS.get(push.record_type.lower())
        if known is None:
            return WebhookResult()
        noun, kind = known
        try:
            ident = canonical_id(noun, push.internal_id)
        except NotFound as problem:
            raise BadRequest(f"the push names no record: {problem.detail}") from None
        change = await self._own_writes.change(noun, ident, push.last_modified)
        delivery = Delivery(
            dedupe_id=f"push:{push.event_id}",
            type=kind,
            key=ordering_key(self._instance, noun, ident),
            change=change,
            occurred_at=push.last_modified,
        )
        return WebhookResult((delivery,))
