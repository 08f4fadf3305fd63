"""The admin API of API keys and revocations: each change and its audit record are one transaction."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.admin.keys import (
    ApiKey,
    ApiKeys,
    KeyMade,
    KeyWanted,
    Revocation,
    Revocations,
    RevocationWanted,
)
from contracts.problems import Conflict, Fault, Invalid, NotFound
from gateway.identity import CredentialStatus, api_keys, revocation
from gateway.plans import Consumer, grants
from gateway.policy_runtime import PolicyRuntime
from kit import audit, context, privacy
from kit.database import Database


class KeysService:
    """Creates, lists and revokes; a change takes effect here at once, in other processes within seconds."""

    def __init__(
        self,
        runtime: PolicyRuntime,
        credential_status: CredentialStatus | None,
        store: Callable[[], Database],
    ) -> None:
        self._runtime = runtime
        self._credential_status = credential_status
        self._store = store

    async def list_keys(self, consumer: str | None = None) -> ApiKeys:
        """The keys of a consumer, or of all."""
        async with self._store().connect() as connection:
            keys = await api_keys.keys_of(connection, consumer or "")
            return ApiKeys(tuple([await _shown(connection, key) for key in keys]))

    async def create_key(self, body: KeyWanted) -> KeyMade:
        """The key with its text; raises NotFound, Conflict and TooManyKeys."""
        kind = self._runtime.settings.identity.api_keys
        if kind is None:
            raise Conflict("This deployment accepts no API keys (gateway.toml, identity.api_keys)")
        consumer = self._runtime.bundle.consumers.get(body.consumer)
        if consumer is None:
            raise NotFound(f"No consumer is named {body.consumer}")
        _check_wanted(body, consumer)
        days = body.expires_in_days
        async with self._store().begin() as connection:
            made, text = await api_keys.create(
                connection,
                consumer=body.consumer,
                kind=kind,
                by=await privacy.actor(connection),
                title=body.title,
                scopes=body.scopes,
                expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(days=days) if days else None,
            )
            await _note(connection, "gateway.key.made", body.consumer, key=made.id, prefix=made.prefix)
            shown = await _shown(connection, made)
        await self._refresh()
        return KeyMade(shown, text)

    async def revoke_key(self, key_id: str) -> ApiKey:
        """The key, revoked now or before; raises NotFound."""
        async with self._store().begin() as connection:
            key = await api_keys.revoke_key(connection, key_id, by=await privacy.actor(connection))
            await _note(connection, "gateway.key.revoked", key.consumer, key=key.id, prefix=key.prefix)
            shown = await _shown(connection, key)
        await self._refresh()
        return shown

    async def list_revocations(self) -> Revocations:
        """The active revocations."""
        async with self._store().connect() as connection:
            active = await revocation.active_revocations(connection)
            return Revocations(tuple([await _revoked(connection, one) for one in active]))

    async def revoke_tokens(self, body: RevocationWanted) -> Revocation:
        """The revocation, active; raises Invalid for an instant in the future."""
        now = dt.datetime.now(dt.UTC)
        if body.issued_before is not None and body.issued_before > now:
            fault = Fault("/issued_before", "is in the future: tokens that are not issued cannot be revoked")
            raise Invalid(errors=(fault,))
        async with self._store().begin() as connection:
            made = await revocation.revoke(
                connection,
                kind=body.kind,
                name=body.name,
                issuer=body.issuer,
                issued_before=body.issued_before,
                by=await privacy.actor(connection),
                reason=body.reason,
                longest_seconds=self._runtime.settings.identity.longest_token_seconds,
            )
            subject = body.name
            if body.kind == "subject":  # the audit record outlives the revocation: it must name no person
                subject = await privacy.of(connection).pseudonym(connection, body.name)
            detail = {"kind": body.kind, "issuer": body.issuer}
            await _note(connection, "gateway.tokens.revoked", subject, {"reason": body.reason}, **detail)
            shown = await _revoked(connection, made)
        await self._refresh()
        return shown

    async def _refresh(self) -> None:
        if self._credential_status is not None:
            await self._credential_status.refresh()


def _check_wanted(body: KeyWanted, consumer: Consumer) -> None:
    """Raise Invalid for a scope that the consumer was not granted: the key would have less than requested."""
    faults = [
        Fault(f"/scopes/{index}", f"{scope} is more than {body.consumer} was granted")
        for index, scope in enumerate(body.scopes)
        if not grants(consumer.scopes, scope)
    ]
    if "api_key" not in consumer.credentials:
        faults.append(Fault("/consumer", f"{body.consumer} may not use API keys"))
    if faults:
        raise Invalid(errors=faults)


async def _shown(connection: AsyncConnection, key: api_keys.StoredApiKey) -> ApiKey:
    holds = key.revoked_at is None and not api_keys.has_expired(key)
    shown = ApiKey(holds=holds, **msgspec.structs.asdict(key))
    return msgspec.structs.replace(
        shown,
        made_by=await privacy.shown(connection, key.made_by),
        revoked_by=await privacy.shown(connection, key.revoked_by),
    )


async def _revoked(connection: AsyncConnection, made: revocation.Revocation) -> Revocation:
    shown = msgspec.convert(made, Revocation, from_attributes=True)
    return msgspec.structs.replace(shown, revoked_by=await privacy.shown(connection, made.revoked_by))


async def _note(
    connection: AsyncConnection,
    action: str,
    subject: str,
    personal: dict[str, Any] | None = None,
    **detail: Any,
) -> None:
    here = context.current()
    await audit.write(
        connection,
        action=action,
        outcome="done",
        actor=here.who,
        consumer=here.caller.consumer if here.caller else "",
        subject=subject,
        detail=detail,
        personal=personal,
        correlation_id=here.correlation_id,
    )
