"""system_apis: the signed push of our User Event script at NetSuite, verified as our guide to it defines."""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping

import msgspec

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, RecordChanged
from contracts.problems import BadRequest, InvalidToken, NotFound
from kit.secrets import Secret
from system_apis.connector import Delivery, ordering_key
from system_apis.vendors.netsuite.client import Echoes
from system_apis.vendors.netsuite.mapping import ids
from system_apis.vendors.netsuite.records import NetSuitePush, version_of

_NOUNS = {"customer": ("customer", CUSTOMER_CHANGED), "salesorder": ("contract", CONTRACT_CHANGED)}


class Push:
    """Verifies the thin events of our own script at NetSuite, signed with a shared secret."""

    def __init__(
        self,
        instance: str,
        secret: Secret,
        echoes: Echoes,
        *,
        skew_seconds: float,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._instance = instance
        self._secret = secret
        self._echoes = echoes
        self._skew = skew_seconds
        self._now = now

    async def verify(self, headers: Mapping[str, str], body: bytes) -> tuple[Delivery, ...]:
        """A push's change; raises InvalidToken when forged or stale, BadRequest when unreadable.

        The event id names a delivery, so a replay has the id of an earlier one.
        """
        self._authentic(headers, body)
        try:
            push = msgspec.json.decode(body, type=NetSuitePush)
        except msgspec.DecodeError:
            raise BadRequest("the push is not what our script sends") from None
        # The header is not signed; the body is.
        if push.event_id != headers.get("x-ns-event-id"):
            raise InvalidToken("the push names two events")
        known = _NOUNS.get(push.record_type.lower())
        if known is None:
            return ()
        noun, kind = known
        try:
            ident = ids.canonical(noun, push.internal_id)
        except NotFound as problem:
            raise BadRequest(f"the push names no record: {problem.detail}") from None
        change = RecordChanged(
            instance=self._instance,
            object=noun,
            id=ident,
            version=version_of(push.last_modified),
            changed_at=push.last_modified,
            by_us=await self._echoes.is_ours(noun, ident, push.last_modified),
        )
        return (
            Delivery(
                dedupe_id=f"push:{push.event_id}",
                type=kind,
                key=ordering_key(self._instance, noun, ident),
                change=change,
                occurred_at=push.last_modified,
            ),
        )

    def _authentic(self, headers: Mapping[str, str], body: bytes) -> None:
        stamp = headers.get("x-ns-timestamp", "")
        given = headers.get("x-ns-signature", "")
        signed = hmac.new(self._secret.reveal().encode(), stamp.encode() + b"." + body, hashlib.sha256)
        if not hmac.compare_digest(f"sha256={signed.hexdigest()}".encode(), given.encode()):
            raise InvalidToken("the push is not signed with our secret")
        # Only after the signature: a forger learns nothing of our clock.
        if not stamp.isdigit() or abs(self._now() - int(stamp)) > self._skew:
            raise InvalidToken("the push is too old or from the future")
