"""Identity: who calls, by a credential checked once and believed until something speaks against it."""

import ipaddress
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from contracts.problems import BadRequest, InvalidToken, Unauthenticated
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.identity import (
    Certificates,
    Challenges,
    CredentialStatus,
    DevelopmentIssuer,
    Fetch,
    Introspector,
    Issuer,
    Keys,
    Memory,
    Post,
    Proofs,
    Rules,
    Verified,
    Verifier,
)
from gateway.identity.api_keys import MARK, ApiKey, Kind, kind_of
from gateway.identity.dpop import DPoPSettings
from gateway.plans import Consumer, Credential, grants, row_claims
from kit.context import Caller
from kit.secrets import SecretError, resolve
from kit.settings import SettingsError

_SOON = 1.0
_MANY = 10_000  # credentials remembered before the expired ones are forgotten
_KEY_SECONDS = 5.0  # so long is a key believed unasked: its last use is known as exactly
_CREDENTIAL = re.compile(r"[A-Za-z0-9\-._~+/]+=*")  # RFC 6750 §2.1


class IdentitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which credentials are believed, from whom, and for how long; instants and lengths are in seconds.

    `embedded_issuer` is for development: there only where it is asked for, refused in production. Its keys
    rotate every `embedded_key_days`. When an issuer's keys or answers cannot be had, identity fails closed.

    `api_keys` says which kind of key this deployment takes; without it none is. `certificate_proxies` are the
    networks of TLS terminators whose Client-Cert field is believed. Keys and revocations are looked for every
    `refresh_seconds`; where the database is away for longer than `stale_seconds`, no key is believed, and
    tokens as `stale_tokens` says. No token may live longer than `longest_token_seconds`.
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
        """Whether there is a credential at all that is believed."""
        return self.embedded_issuer or bool(self.issuers) or self.api_keys is not None

    def __post_init__(self) -> None:
        for network in self.certificate_proxies:
            ipaddress.ip_network(network)
        names = [one.issuer for one in self.issuers]
        if len(set(names)) < len(names):
            raise ValueError("an issuer is named twice")
        if faceless := [one.issuer for one in self.issuers if not one.jwks_uri and one.introspection is None]:
            raise ValueError(f"{faceless[0]} has neither jwks_uri nor introspection")
        _check_prefixes(sorted(one.introspection.prefix for one in self.issuers if one.introspection))


@dataclass(frozen=True, slots=True)
class CredentialVerifiers:
    """Whom identity asks: about JWTs, opaque tokens, keys and revocations, proofs, certificates."""

    verifier: Verifier
    introspector: Introspector | None
    credential_status: CredentialStatus | None
    proofs: Proofs
    certificates: Certificates


class _Known(msgspec.Struct, frozen=True):
    """A credential that was checked, and until when it need not be checked again (wall clock)."""

    caller: Caller
    consumer: Consumer
    until: float
    verified: Verified | None = None
    key: ApiKey | None = None

    @property
    def confirmation(self) -> dict[str, str]:
        """What the sender must prove with every call."""
        return self.verified.confirmation if self.verified is not None else {}


class Identity:
    """Turns the Authorization header into a caller; raises Unauthenticated and InvalidToken (RFC 6750)."""

    def __init__(
        self,
        settings: IdentitySettings,
        verifiers: CredentialVerifiers,
        consumers: Mapping[str, Consumer],
        scopes: tuple[str, ...],
        resource_metadata: str,
    ) -> None:
        self._settings = settings
        self._verifiers = verifiers
        self._consumers = consumers
        self._scopes = scopes
        self._challenges = Challenges(resource_metadata)
        # What holds for whoever sends it, and what holds only together with a proof made for the very call.
        self._known: dict[bytes, _Known] = {}
        self._bound: dict[bytes, _Known] = {}

    def wrap(self, route: Route | None, call_next: Step) -> Step:
        if route is None or route.operation is None:
            return call_next
        known = self._known

        async def identity(exchange: Exchange) -> Reply:
            header = exchange.headers.get(b"authorization", b"")
            found = known.get(header)
            if found is None or found.until <= time.time():
                found = await self._identify(exchange, header)
            exchange.caller = found.caller
            exchange.consumer = found.consumer
            return await call_next(exchange)

        return identity

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        """The caller is whom a token with all that was granted makes; raises InvalidToken for an unknown."""
        if asked is None or asked.route.operation is None:
            return
        if asked.consumer is None:
            raise InvalidToken("The token was given to a consumer that is not known here")
        probe.consumer, probe.caller = asked.consumer, _caller(asked, asked.consumer)

    def explain(self, asked: Asked) -> list[Rule]:
        if asked.route.operation is None:
            return [Rule("open: no token is asked for", file="")]
        if asked.consumer is None:
            return [Rule(f"no consumer is named {asked.name}: 401", "consumers", file="consumers.toml")]
        mine = f"consumers.{asked.name}"
        found = [Rule("a credential that a believed issuer, or we ourselves, have given", "identity")]
        if set(asked.consumer.credentials) != set(get_args(Credential)):
            kinds = " or ".join(asked.consumer.credentials)
            found.append(Rule(f"of the kind {kinds}", f"{mine}.credentials", "consumers.toml"))
        return [*found, Rule(f"given to {asked.name}: {asked.consumer.title}", mine, "consumers.toml")]

    async def _identify(self, exchange: Exchange, header: bytes) -> _Known:
        scheme, credential = self._read(header)
        try:
            if scheme == "bearer" and credential.startswith(MARK):
                found = self._by_key(credential)
            else:
                found = await self._by_token(exchange, header, scheme, credential)
        except InvalidToken as refusal:
            raise self._challenges.refuse(refusal, scheme) from None
        self._remember(header, found)
        return found

    def _read(self, header: bytes) -> tuple[str, str]:
        """Scheme and credential; raises Unauthenticated for another scheme, BadRequest for what is none."""
        scheme, _, credential = header.decode("latin-1").partition(" ")
        scheme, credential = scheme.lower(), credential.strip(" ")
        if scheme not in ("bearer", "dpop") or not credential:
            raise Unauthenticated(
                "Send an access token: Authorization: Bearer …", headers=self._challenges.bare()
            )
        if not _CREDENTIAL.fullmatch(credential):
            said = "The credential has characters that no credential has"
            raise BadRequest(said, headers=self._challenges.malformed(scheme, said))
        return scheme, credential

    def _by_key(self, text: str) -> _Known:
        taken, kind, credential_status = (
            self._settings.api_keys,
            kind_of(text),
            self._verifiers.credential_status,
        )
        if taken is None or credential_status is None:
            raise InvalidToken("API keys are not taken here")
        if kind not in ("", taken):
            raise InvalidToken(f"This deployment takes {taken} keys, and a {kind} key was sent")
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
        found = self._bound.get(header)
        if found is None or found.until <= time.time():
            found = self._know(await self._verify(token))
        await self._prove(exchange, scheme, token, found.confirmation)
        # Last, and with nothing awaited between it and the memory: a revocation can never be overtaken.
        if not self._still_holds(found):
            self._check_credential_status()
            raise InvalidToken("The token was revoked")
        return found

    async def _verify(self, token: str) -> Verified:
        introspector = self._verifiers.introspector
        told = await introspector.verify(token) if introspector is not None else None
        return told if told is not None else await self._verifiers.verifier.verify(token)

    def _know(self, verified: Verified) -> _Known:
        kinds = {"dpop": "jkt", "mtls": "x5t#S256"}
        shown = {kind for kind, claim in kinds.items() if claim in verified.confirmation} or {"bearer"}
        consumer = self._consumer(verified.consumer, shown)
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

    def _consumer(self, name: str, shown: set[str]) -> Consumer:
        """The consumer of a name; raises InvalidToken unless it may come with such a credential."""
        consumer = self._consumers.get(name)
        if consumer is None:
            raise InvalidToken("The token was given to a consumer that is not known here")
        if not shown & set(consumer.credentials):
            wanted = " or ".join(consumer.credentials)
            said = f"The consumer must come with a credential of the kind {wanted}"
            wrong = "dpop" if "dpop" in consumer.credentials else "bearer"
            raise self._challenges.refuse(InvalidToken(said), wrong)
        return consumer

    async def _prove(self, exchange: Exchange, scheme: str, token: str, bound: dict[str, str]) -> None:
        """Raise InvalidToken unless the sender shows that the token is its own."""
        if "jkt" in bound:
            if scheme != "dpop":
                unproved = InvalidToken("The token is bound to a key: send it as DPoP, with a proof")
                raise self._challenges.refuse(unproved, "dpop")
            await self._verifiers.proofs.check(exchange, token, bound["jkt"])
        elif scheme == "dpop":
            raise InvalidToken("The token is bound to no key: it is a bearer token")
        if "x5t#S256" in bound:
            self._verifiers.certificates.check(exchange, bound["x5t#S256"])

    def _check_credential_status(self) -> None:
        """Raise Unavailable where nobody knows any more which tokens were revoked, and that matters."""
        credential_status = self._verifiers.credential_status
        if credential_status is not None and self._settings.stale_tokens == "refuse":
            credential_status.check_fresh()

    def _still_holds(self, found: _Known) -> bool:
        """Whether neither a revocation nor the register's age speaks against what was believed."""
        credential_status = self._verifiers.credential_status
        if credential_status is None:
            return True
        if found.key is not None:
            return credential_status.fresh and credential_status.holds(found.key)
        if found.verified is None or (
            self._settings.stale_tokens == "refuse" and not credential_status.fresh
        ):
            return False
        verified = found.verified
        return not credential_status.is_revoked(verified.consumer, verified.claims, verified.issuer.issuer)

    def evict_revoked(self) -> None:
        """Forget whatever no longer holds; called when the register has changed, not with every call."""
        for memory in (self._known, self._bound):
            for header in [header for header, found in memory.items() if not self._still_holds(found)]:
                del memory[header]

    def _remember(self, header: bytes, found: _Known) -> None:
        memory = self._bound if found.confirmation else self._known
        if len(memory) >= _MANY:
            now = time.time()
            fresh = {key: value for key, value in memory.items() if value.until > now}
            memory.clear()
            if len(fresh) < _MANY // 2:
                memory.update(fresh)
        memory[header] = found


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


def _covers(key: ApiKey, consumer: Consumer, scope: str) -> bool:
    """Whether a key gives a scope: it never gives more than its consumer has."""
    return grants(consumer.scopes, scope) and (not key.scopes or grants(key.scopes, scope))


def _check_prefixes(prefixes: list[str]) -> None:
    """Raise ValueError where a token could be shown to an issuer that did not give it."""
    for one, next_one in pairwise(prefixes):
        if next_one.startswith(one):
            raise ValueError(f"the introspection prefixes {one!r} and {next_one!r} cannot be told apart")


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
    """The verifiers as the settings ask for them; raises SettingsError for what is named and not there.

    `public_url` is the audience of tokens and the address that proofs are made for.
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
) -> dict[str, tuple[Issuer, Keys]]:
    """Every issuer of JWTs by its name, with its keys."""
    remote = [issuer for issuer in settings.issuers if issuer.jwks_uri]
    if remote and fetch is None:
        raise SettingsError(["identity.issuers: nothing was given that fetches their keys"])
    found = {
        one.issuer: (
            one,
            Keys(address=one.jwks_uri, fetch=fetch, max_age=one.keys_seconds, stale=one.keys_stale_seconds),
        )
        for one in remote
    }
    if settings.embedded_issuer:
        if embedded is None:
            said = "The embedded issuer is switched on, but none was given"
            raise SettingsError([f"identity.embedded_issuer: {said}"])
        own = Issuer(issuer=embedded.issuer, audience=embedded.audience)
        # It stands in this process, so asking it costs next to nothing, and a rotation is seen at once.
        keys = Keys(fetch=embedded.fetch_jwks, fetch_again=_SOON, absent=_SOON, max_age=_SOON)
        found[embedded.issuer] = (own, keys)
    return found


def _introspector(
    settings: IdentitySettings, rules: Rules, post: Post | None, environ: Mapping[str, str]
) -> Introspector | None:
    asked = [issuer for issuer in settings.issuers if issuer.introspection is not None]
    if not asked:
        return None
    if post is None:
        raise SettingsError(["identity.issuers: nothing was given that asks about their tokens"])
    try:
        return Introspector(asked, rules, post, lambda reference: resolve(reference, environ))
    except SecretError as error:
        raise SettingsError([f"identity.issuers: {error}"]) from None
