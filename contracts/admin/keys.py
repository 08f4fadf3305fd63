"""API keys of consumers, and revocation: of keys, of tokens, of all that a consumer or a person was given."""

import datetime as dt
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Id, Instant
from contracts.operation import api, operation
from contracts.problems import Conflict, NotFound, TooManyKeys

ConsumerName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9\-]{1,62}$")]
Grant = Annotated[
    str, Meta(pattern=r"^(\*|system|process|experience|gateway)\.(\*|[a-z0-9\-]+)\.(\*|read|write|approve)$")
]
Reason = Annotated[str, Meta(min_length=3, max_length=500)]


class ApiKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key as it is known after it was made: by its `prefix`, never by its text.

    Without `scopes` it has all that its consumer was granted. It holds until it is revoked or expires.
    """

    id: Id
    consumer: str
    kind: Literal["test", "live"]
    prefix: str
    made_at: dt.datetime
    holds: bool
    scopes: tuple[str, ...] = ()
    title: str = ""
    made_by: str = ""
    expires_at: dt.datetime | None = None
    last_used_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    revoked_by: str = ""


class ApiKeys(msgspec.Struct, frozen=True):
    """Keys, the newest first."""

    items: tuple[ApiKey, ...]


class KeyWanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose key, what for, with which part of the consumer's grants, and until when."""

    consumer: ConsumerName
    title: Annotated[str, Meta(max_length=200)] = ""
    scopes: Annotated[tuple[Grant, ...], Meta(max_length=50)] = ()
    expires_in_days: Annotated[int, Meta(ge=1, le=3650)] | None = None


class KeyMade(msgspec.Struct, frozen=True):
    """A new key with its text, which is returned here and never again."""

    key: ApiKey
    text: str


class RevocationWanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is revoked: a *token* by its ``jti``, or all tokens of a *consumer* or of a *subject*.

    Of the latter two, those issued up to `issued_before`, which is now unless it is given. With `issuer` only
    that issuer's tokens are meant. API keys have a revocation of their own.
    """

    kind: Literal["token", "consumer", "subject"]
    name: Annotated[str, Meta(min_length=1, max_length=1024)]
    reason: Reason
    issuer: Annotated[str, Meta(max_length=2048)] = ""
    issued_before: Instant | None = None


class Revocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A revocation in force. It is forgotten when no token can be left that it concerns."""

    id: Id
    kind: Literal["token", "consumer", "subject"]
    name: str
    issued_before: dt.datetime
    forget_at: dt.datetime
    revoked_at: dt.datetime
    issuer: str = ""
    revoked_by: str = ""
    reason: str = ""


class Revocations(msgspec.Struct, frozen=True):
    """Revocations in force, the newest first."""

    items: tuple[Revocation, ...]


@api(
    "gateway",
    "keys",
    version=1,
    summary="API keys of consumers, and revocation of keys and tokens",
    data_classes=("commercial", "personal"),
)
class Keys(Protocol):
    """Every gateway of the deployment knows of a change within seconds."""

    @operation("GET", "/keys", summary="List API keys, the newest first")
    async def list_keys(self, consumer: ConsumerName | None = None) -> ApiKeys:
        """The keys of a consumer, or of all; also those that hold no more."""
        ...

    # Natural, since an answer that is stored for an Idempotency-Key would be the key's text in the database.
    # A repeated request gets a second key; the caller sees both, and can get no third.
    @operation(
        "POST",
        "/keys",
        summary="Make an API key; its text is returned once",
        status=201,
        idempotency="natural",
        problems=(NotFound, Conflict, TooManyKeys),
    )
    async def create_key(self, body: KeyWanted) -> KeyMade:
        """The key; raises NotFound for an unknown consumer, TooManyKeys beyond two that hold."""
        ...

    @operation("DELETE", "/keys/{key_id}", summary="Revoke an API key", problems=(NotFound,))
    async def revoke_key(self, key_id: Id) -> ApiKey:
        """The key, revoked now or before; raises NotFound."""
        ...

    @operation("GET", "/revocations", summary="List the revocations in force")
    async def list_revocations(self) -> Revocations:
        """The revocations, the newest first."""
        ...

    @operation(
        "POST",
        "/revocations",
        summary="Revoke a token, or all of a consumer's or a person's",
        status=201,
        idempotency="natural",
    )
    async def revoke_tokens(self, body: RevocationWanted) -> Revocation:
        """The revocation."""
        ...
