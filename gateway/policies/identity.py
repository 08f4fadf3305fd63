"""Identity: identifies the caller by a credential that is verified once and cached until it lapses."""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from contracts.problems import BadRequest, InvalidToken, Unauthenticated
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule
from gateway.identity import (
    Certificates,
    Challenges,
    CredentialStatus,
    DevelopmentIssuer,
    Fetch,
    Introspector,
    Issuer,
    IssuerKeys,
    Memory,
    Post,
    Proofs,
    Rules,
    Verified,
    Verifier,
)
from gateway.identity.api_keys import MARK, Kind, StoredApiKey, kind_of
from gateway.identity.dpop import DPoPSettings
from gateway.peers import parse_network
from gateway.plans import Consumer, Credential, grants, row_claims
from kit.context import Caller
from kit.secrets import SecretError, resolve
from kit.settings import SettingsError

_SOON = 1.0
_MANY = 10_000  # cached credentials, before the expired ones are evicted
_KEY_SECONDS = 5.0  # a key is cached for so long; its last use is recorded with the same precision
_CREDENTIAL = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 §2.1


Authorize = Callable[[Exchange], Awaitable[None]]
"""Sets the credential of a session on a call under a page bundle's prefix; raises Unauthenticated."""


class IdentitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which credentials are accepted, from which issuers, and for how long; durations are in seconds.

    `embedded_issuer` is for development: off unless it is switched on, refused in production. Its keys
    rotate every `embedded_key_days`. When an issuer's keys or answers are unavailable, identity fails closed.

    `api_keys` is the kind of key that this deployment accepts; without it no key is accepted.
    `certificate_proxies` are the networks of TLS terminators whose Client-Cert field is accepted. Keys and
    revocations are polled every `refresh_seconds`; when the database is unavailable for longer than
    `stale_seconds`, keys are refused, and tokens are treated as `stale_tokens` says. A token whose lifetime
    exceeds `longest_token_seconds` is refused.
    """

    embedded_issuer: bool = False
    embedded_key_days: Annotated[int, Meta(ge=1)] = 90
    issuers: tuple[Issuer, ...] = ()
    leeway_seconds: Annotated[float, Meta(ge=0, le=120)] = 30.0
    remember_seconds: Annotated[float, Meta(ge=0, le=3600)] = 300.0
    longest_token_seconds: Annotated[float, Meta(ge=60, le=604_800)] = 86_400.0
    api_keys: Kind | None = None
    dpop: DPoPSettings = DPoPSettings()
    certificate_proxies: tuple[str, ...] = ()
    refresh_seconds: Annotated[float, Meta(gt=0, le=10)] = 1.0
    stale_seconds: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    stale_tokens: Literal["refuse", "believe"] = "refuse"

    @property
    def believes_any(self) -> bool:
        """Whether any kind of credential is accepted."""
        return self.embedded_issuer or bool(self.issuers) or self.api_keys is not None

    def __post_init__(self) -> None:
        for network in self.certificate_proxies:
            parse_network(network)
        names = [one.issuer for one in self.issuers]
        if len(set(names)) < len(names):
            raise ValueError("an issuer is named twice")
        unverifiable = [one.issuer for one in self.issuers if not one.jwks_uri and one.introspection is None]
        if unverifiable:
            raise ValueError(f"{unverifiable[0]} has neither jwks_uri nor introspection")
        _check_prefixes(sorted(one.introspection.prefix for one in self.issuers if one.introspection))


@dataclass(frozen=True, slots=True)
class CredentialVerifiers:
    """The verifiers of JWTs, opaque tokens, keys and revocations, DPoP proofs and certificates."""

    verifier: Verifier
    introspector: Introspector | None
    credential_status: CredentialStatus | None
    proofs: Proofs
    certificates: Certificates


class _Known(msgspec.Struct, frozen=True):
    """A verified credential, and until when it need not be verified again (wall clock)."""

    caller: Caller
    consumer: Consumer
    until: float
    verified: Verified | None = None
    key: StoredApiKey | None = None

    @property
    def confirmation(self) -> dict[str, str]:
        """What the sender must prove with every call."""
        return self.verified.confirmation if self.verified is not None else {}


class IdentityPolicy:
    """Turns the Authorization header into a caller; raises Unauthenticated and InvalidToken (RFC 6750)."""

    def __init__(
        self,
        settings: IdentitySettings,
        verifiers: CredentialVerifiers,
        consumers: Mapping[str, Consumer],
        scopes: tuple[str, ...],
        resource_metadata: str,
        authorize: Authorize | None = None,
    ) -> None:
        self._authorize = authorize
        self._settings = settings
        self._verifiers = verifiers
        self._consumers = consumers
        self._scopes = scopes
        self._challenges = Challenges(resource_metadata)
        # Bearer credentials; and credentials bound to a key, which need a proof with every request.
        self._known: dict[bytes, _Known] = {}
        self._bound: dict[bytes, _Known] = {}

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if route is None or route.operation is None:
            return call_next
        cached = self._known

        async def identity(exchange: Exchange) -> Reply:
            if exchange.page:
                await self._enter_session(exchange)
            header = exchange.headers.get(b"authorization", b"")
            known = cached.get(header)
            if known is None or known.until <= time.time():
                known = await self._identify(exchange, header)
            exchange.caller = known.caller
            exchange.consumer = known.consumer
            return await call_next(exchange)

        return identity

    async def _enter_session(self, exchange: Exchange) -> None:
        """Take the credential from the session of the page; raises Unauthenticated without one."""
        if self._authorize is None:
            raise Unauthenticated(headers=self._challenges.bare())
        try:
            await self._authorize(exchange)
        except Unauthenticated as refusal:
            raise Unauthenticated(refusal.detail, headers=self._challenges.bare()) from None

    async def caller_of(self, token: str) -> Caller:
        """Who a bearer token identifies; raises InvalidToken as for a request with it."""
        known = self._know(await self._verify(token))
        if known.confirmation or not self._still_holds(known):
            raise InvalidToken("The token was revoked, or is bound to a key")
        return known.caller

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        """Set the caller of a token with every granted scope; raises InvalidToken for an unknown consumer."""
        if asked is None or asked.route.operation is None:
            return
        if asked.consumer is None:
            raise InvalidToken("The token was issued to a consumer that is not known here")
        probe.consumer, probe.caller = asked.consumer, _caller(asked, asked.consumer)

    def explain(self, asked: Asked) -> list[Rule]:
        if asked.route.operation is None:
            return [Rule("open: no token is required", file="")]
        if asked.consumer is None:
            return [Rule(f"no consumer is named {asked.name}: 401", "consumers", file="consumers.toml")]
        section = f"consumers.{asked.name}"
        rules = [Rule("a credential of a configured issuer or of this gateway", "identity")]
        if set(asked.consumer.credentials) != set(get_args(Credential)):
            kinds = " or ".join(asked.consumer.credentials)
            rules.append(Rule(f"of the kind {kinds}", f"{section}.credentials", "consumers.toml"))
        return [*rules, Rule(f"issued to {asked.name}: {asked.consumer.title}", section, "consumers.toml")]

    async def _identify(self, exchange: Exchange, header: bytes) -> _Known:
        scheme, credential = self._read(header)
        try:
            if scheme == "bearer" and credential.startswith(MARK):
                known = self._by_key(credential)
            else:
                known = await self._by_token(exchange, header, scheme, credential)
        except InvalidToken as refusal:
            raise self._challenges.refuse(refusal, scheme) from None
        self._remember(header, known)
        return known

    def _read(self, header: bytes) -> tuple[str, str]:
        """Scheme and credential; raises Unauthenticated for another scheme, BadRequest for bad characters."""
        scheme, _, credential = header.decode("latin-1").partition(" ")
        scheme, credential = scheme.lower(), credential.strip(" ")
        if scheme not in ("bearer", "dpop") or not credential:
            raise Unauthenticated(
                "Send an access token: Authorization: Bearer …", headers=self._challenges.bare()
            )
        if not _CREDENTIAL.fullmatch(credential):
            detail = "The credential contains characters that are not allowed (RFC 6750 §2.1)"
            raise BadRequest(detail, headers=self._challenges.malformed(scheme, detail))
        return scheme, credential

    def _by_key(self, text: str) -> _Known:
        accepted_kind, kind, credential_status = (
            self._settings.api_keys,
            kind_of(text),
            self._verifiers.credential_status,
        )
        if accepted_kind is None or credential_status is None:
            raise InvalidToken("API keys are not accepted here")
        if kind not in ("", accepted_kind):
            raise InvalidToken(f"This deployment accepts {accepted_kind} keys, and a {kind} key was sent")
        key = credential_status.find_key(text)
        if key is None:
            raise InvalidToken("The API key is not known, has expired or was revoked")
        consumer = self._consumer(key.consumer, {"api_key"})
        caller = Caller(
            subject=key.consumer,
            consumer=key.consumer,
            scopes=frozenset(scope for scope in self._scopes if _covers(key, consumer, scope)),
            roles=frozenset(consumer.roles),
            claims=row_claims(consumer, {}),
            outside=consumer.outside,
        )
        until = time.time() + _KEY_SECONDS
        if key.expires_at is not None:
            until = min(until, key.expires_at.timestamp())
        return _Known(caller=caller, consumer=consumer, until=until, key=key)

    async def _by_token(self, exchange: Exchange, header: bytes, scheme: str, token: str) -> _Known:
        known = self._bound.get(header)
        if known is None or known.until <= time.time():
            known = self._know(await self._verify(token))
        await self._prove(exchange, scheme, token, known.confirmation)
        # Checked last, and nothing is awaited until the credential is cached: no revocation can be missed.
        if not self._still_holds(known):
            self._check_credential_status()
            raise InvalidToken("The token was revoked")
        return known

    async def _verify(self, token: str) -> Verified:
        introspector = self._verifiers.introspector
        verified = await introspector.verify(token) if introspector is not None else None
        return verified if verified is not None else await self._verifiers.verifier.verify(token)

    def _know(self, verified: Verified) -> _Known:
        kinds = {"dpop": "jkt", "mtls": "x5t#S256"}
        bindings = {kind for kind, claim in kinds.items() if claim in verified.confirmation} or {"bearer"}
        consumer = self._consumer(verified.consumer, bindings)
        caller = Caller(
            subject=str(verified.claims["sub"]),
            consumer=verified.consumer,
            scopes=frozenset(scope for scope in verified.scopes if grants(consumer.scopes, scope)),
            roles=verified.roles & frozenset(consumer.roles),
            claims=row_claims(consumer, verified.claims),
            outside=consumer.outside,
        )
        until = min(verified.until, time.time() + self._settings.remember_seconds)
        return _Known(caller=caller, consumer=consumer, until=until, verified=verified)

    def _consumer(self, name: str, bindings: set[str]) -> Consumer:
        """The consumer of a name; raises InvalidToken unless it may use such a credential."""
        consumer = self._consumers.get(name)
        if consumer is None:
            raise InvalidToken("The token was issued to a consumer that is not known here")
        if not bindings & set(consumer.credentials):
            wanted = " or ".join(consumer.credentials)
            detail = f"The consumer must use a credential of the kind {wanted}"
            challenge = "dpop" if "dpop" in consumer.credentials else "bearer"
            raise self._challenges.refuse(InvalidToken(detail), challenge)
        return consumer

    async def _prove(self, exchange: Exchange, scheme: str, token: str, confirmation: dict[str, str]) -> None:
        """Raise InvalidToken unless the sender proves possession of the key that the token is bound to."""
        if "jkt" in confirmation:
            if scheme != "dpop":
                unproved = InvalidToken("The token is bound to a key: send it as DPoP, with a proof")
                raise self._challenges.refuse(unproved, "dpop")
            await self._verifiers.proofs.check(exchange, token, confirmation["jkt"])
        elif scheme == "dpop":
            raise InvalidToken("The token is bound to no key: it is a bearer token")
        if "x5t#S256" in confirmation:
            self._verifiers.certificates.check(exchange, confirmation["x5t#S256"])

    def _check_credential_status(self) -> None:
        """Raise Unavailable when the revocations are stale and tokens are refused in that case."""
        credential_status = self._verifiers.credential_status
        if credential_status is not None and self._settings.stale_tokens == "refuse":
            credential_status.check_fresh()

    def _still_holds(self, known: _Known) -> bool:
        """Whether a cached credential is neither revoked nor refused because the revocations are stale."""
        credential_status = self._verifiers.credential_status
        if credential_status is None:
            return True
        if known.key is not None:
            return credential_status.fresh and credential_status.holds(known.key)
        if known.verified is None or (
            self._settings.stale_tokens == "refuse" and not credential_status.fresh
        ):
            return False
        verified = known.verified
        return not credential_status.is_revoked(verified.consumer, verified.claims, verified.issuer.issuer)

    def evict_revoked(self) -> None:
        """Evict credentials that are no longer valid; called when the credential status changes."""
        for cache in (self._known, self._bound):
            # A list first: the dictionary must not change while it is iterated.
            for header in [header for header, known in cache.items() if not self._still_holds(known)]:
                del cache[header]

    def _remember(self, header: bytes, known: _Known) -> None:
        cache = self._bound if known.confirmation else self._known
        if len(cache) >= _MANY:
            now = time.time()
            fresh = {key: value for key, value in cache.items() if value.until > now}
            cache.clear()
            if len(fresh) < _MANY // 2:
                cache.update(fresh)
        cache[header] = known


def _caller(asked: Asked, consumer: Consumer) -> Caller:
    granted = grants(consumer.scopes, asked.route.scope)
    subject = asked.person or asked.name
    return Caller(
        subject=subject,
        consumer=asked.name,
        scopes=frozenset({asked.route.scope} if granted else ()),
        roles=frozenset(consumer.roles),
        claims=row_claims(consumer, {"sub": subject, "client_id": asked.name}),
        outside=consumer.outside,
    )


def _covers(key: StoredApiKey, consumer: Consumer, scope: str) -> bool:
    """Whether a key grants a scope: never more than its consumer was granted."""
    return grants(consumer.scopes, scope) and (not key.scopes or grants(key.scopes, scope))


def _check_prefixes(prefixes: list[str]) -> None:
    """Raise ValueError where a token could be sent to an issuer that did not issue it."""
    for one, next_one in pairwise(prefixes):
        if next_one.startswith(one):
            raise ValueError(f"the introspection prefixes {one!r} and {next_one!r} are ambiguous")


def no_verifiers() -> CredentialVerifiers:
    """Verifiers that accept no credential, to try settings with."""
    proofs, none = Proofs(DPoPSettings(), "", Memory(None, alone=True)), Certificates(())
    return CredentialVerifiers(
        Verifier({}, Rules("")), introspector=None, credential_status=None, proofs=proofs, certificates=none
    )


def credential_verifiers(
    settings: IdentitySettings,
    *,
    public_url: str,
    embedded: DevelopmentIssuer | None,
    fetch: Fetch | None,
    post: Post | None,
    environ: Mapping[str, str],
    credential_status: CredentialStatus | None,
    memory: Memory,
) -> CredentialVerifiers:
    """The verifiers that the settings configure; raises SettingsError when one of them lacks a dependency.

    `public_url` is the audience of tokens and the base of the addresses in proofs.
    """
    rules = Rules(public_url, settings.leeway_seconds, settings.longest_token_seconds)
    return CredentialVerifiers(
        verifier=Verifier(_keys_of(settings, embedded, fetch), rules),
        introspector=_introspector(settings, rules, post, environ),
        credential_status=credential_status,
        proofs=Proofs(settings.dpop, public_url, memory),
        certificates=Certificates(settings.certificate_proxies),
    )


def _keys_of(
    settings: IdentitySettings, embedded: DevelopmentIssuer | None, fetch: Fetch | None
) -> dict[str, tuple[Issuer, IssuerKeys]]:
    """Every issuer of JWTs by its name, with its keys."""
    remote = [issuer for issuer in settings.issuers if issuer.jwks_uri]
    if remote and fetch is None:
        raise SettingsError(["identity.issuers: no client is configured to fetch their keys"])
    keys_by_issuer = {
        one.issuer: (
            one,
            IssuerKeys(
                address=one.jwks_uri, fetch=fetch, max_age=one.keys_seconds, stale=one.keys_stale_seconds
            ),
        )
        for one in remote
    }
    if settings.embedded_issuer:
        if embedded is None:
            detail = "The embedded issuer is switched on, but this deployment has none"
            raise SettingsError([f"identity.embedded_issuer: {detail}"])
        own = Issuer(issuer=embedded.issuer, audience=embedded.audience)
        # It runs in this process: fetching its keys is cheap, and a rotation must take effect at once.
        keys = IssuerKeys(fetch=embedded.fetch_jwks, fetch_again=_SOON, absent=_SOON, max_age=_SOON)
        keys_by_issuer[embedded.issuer] = (own, keys)
    return keys_by_issuer


def _introspector(
    settings: IdentitySettings, rules: Rules, post: Post | None, environ: Mapping[str, str]
) -> Introspector | None:
    introspected = [issuer for issuer in settings.issuers if issuer.introspection is not None]
    if not introspected:
        return None
    if post is None:
        raise SettingsError(["identity.issuers: no client is configured to introspect their tokens"])
    try:
        return Introspector(introspected, rules, post, lambda reference: resolve(reference, environ))
    except SecretError as error:
        raise SettingsError([f"identity.issuers: {error}"]) from None
