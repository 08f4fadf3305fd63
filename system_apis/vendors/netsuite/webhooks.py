"""system_apis: the signed push of our User Event script at NetSuite, verified as our guide to it defines."""

import time
from collections.abc import Callable

import msgspec

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from contracts.problems import BadRequest, InvalidToken
from kit.secrets import Secret
from system_apis.connector import WebhookRequest
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.signatures import HmacSignature
from system_apis.connector.thin_events import ThinEvent, ThinEvents
from system_apis.vendors.netsuite.mapping.values import canonical_id
from system_apis.vendors.netsuite.records import NetSuitePush

_NOUNS = {"customer": (CUSTOMER_CHANGED, "customer"), "salesorder": (CONTRACT_CHANGED, "contract")}


class Push(ThinEvents):
    """The thin events of our own script at NetSuite, signed with a shared secret."""

    def __init__(
        self,
        instance: str,
        secret: Secret,
        own_writes: OwnWrites,
        *,
        skew_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        signature = HmacSignature(
            header="x-ns-signature",
            signed=lambda request, stamp: stamp.encode() + b"." + request.body,
            timestamp_header="x-ns-timestamp",
            prefix="sha256=",
            skew_seconds=skew_seconds,
            now=now,
        )
        super().__init__(instance, secret, own_writes, signature, canonical_id)

    def event(self, request: WebhookRequest) -> ThinEvent | None:
        try:
            push = msgspec.json.decode(request.body, type=NetSuitePush)
        except msgspec.DecodeError:
            raise BadRequest("the push is not what our script sends") from None
        # The header is not signed; the body is.
        if push.event_id != request.headers.get("x-ns-event-id"):
            raise InvalidToken("the push names two events")
        kind = _NOUNS.get(push.record_type.lower())
        return (
            ThinEvent(f"push:{push.event_id}", *kind, push.internal_id, push.last_modified) if kind else None
        )
