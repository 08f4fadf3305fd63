"""system_apis: a receiver of signed calls that only name a changed record, which is then to be read."""

import datetime as dt
from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from contracts.problems import BadRequest, NotFound
from kit.secrets import Secret
from system_apis.connector.declaration import ordering_key
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.signatures import HmacSignature
from system_apis.connector.webhooks import Delivery, WebhookReceiver, WebhookRequest, WebhookResult


class ThinEvent(NamedTuple):
    """What a call says; a replay has the `dedupe_id` of an earlier one."""

    dedupe_id: str
    type: str
    noun: str
    id: str
    at: dt.datetime


class ThinEvents(WebhookReceiver):
    """Verifies a call, reads its event and recognises the change that our own write causes."""

    def __init__(
        self,
        instance: str,
        secret: Secret,
        own_writes: OwnWrites,
        signature: HmacSignature,
        canonical_id: Callable[[str, str], str],
    ) -> None:
        self._instance = instance
        self._secret = secret
        self._own_writes = own_writes
        self._signature = signature
        self._canonical_id = canonical_id

    @abstractmethod
    def event(self, request: WebhookRequest) -> ThinEvent | None:
        """The event of a verified call, None where it concerns nobody; raises BadRequest, InvalidToken."""

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        """The call's change; raises InvalidToken when forged or stale, BadRequest when unreadable."""
        self._signature.verify(request, [self._secret])
        event = self.event(request)
        if event is None:
            return WebhookResult()
        try:
            ident = self._canonical_id(event.noun, event.id)
        except NotFound as problem:
            raise BadRequest(f"the call names no record: {problem.detail}") from None
        change = await self._own_writes.change(event.noun, ident, event.at)
        key = ordering_key(self._instance, event.noun, ident)
        return WebhookResult((Delivery(event.dedupe_id, event.type, key, change, event.at),))
