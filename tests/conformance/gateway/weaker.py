"""tests/conformance/gateway: our own gateway with one promise taken out of it, and the cases that notice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from msgspec.structs import replace

from contracts.problems import Fault
from gateway.identity import Certificates, Challenges, Memory, Proofs
from gateway.identity.dpop import DPoPSettings
from gateway.identity.issuing import server
from gateway.identity.revocation import Revoked
from gateway.lifecycle import ApiLifecycle
from gateway.pipeline import GatewaySettings
from gateway.policies import cache, idempotency_key
from gateway.policies.cache import reading, tags
from gateway.policies.cache.conditions import CacheDirectives
from gateway.policies.contract import answers
from gateway.policies.identity import IdentityPolicy
from kit.context import Caller

# Of these groups every case is noticed by somebody.
GROUPS = (
    "answer/version-",
    "authorisation/challenge-",
    "cache/kept",
    "contract/answer-",
    "contract/version-",
    "identity/certificate-",
    "identity/dpop-nonce-",
    "identity/revocation-",
    "load_shedding/",
    "rate_limit/at-once",
    "rate_limit/month-",
    "route/version-",
)


@dataclass(frozen=True)
class Weaker:
    """What is otherwise than it should be, and the cases that must not hold for that.

    `lifecycles` changes the suite's; each of `patches` is an attribute of something and its stand-in.
    """

    cases: tuple[str, ...]
    settings: Callable[[GatewaySettings], GatewaySettings] = lambda settings: settings
    lifecycles: Callable[[dict[str, ApiLifecycle]], dict[str, ApiLifecycle]] = lambda lifecycles: lifecycles
    patches: tuple[tuple[Any, str, Any], ...] = ()


def _plans(**changes: Any) -> Callable[[GatewaySettings], GatewaySettings]:
    def change(settings: GatewaySettings) -> GatewaySettings:
        plans = {name: replace(plan, **changes) for name, plan in settings.plans.items()}
        return replace(settings, plans=plans)

    return change


def _identity(**changes: Any) -> Callable[[GatewaySettings], GatewaySettings]:
    return lambda settings: replace(settings, identity=replace(settings.identity, **changes))


def _lifecycles(**changes: Any) -> Callable[[dict[str, ApiLifecycle]], dict[str, ApiLifecycle]]:
    return lambda found: {slug: replace(one, **changes) for slug, one in found.items()}


def _shows_one_to_all(exchange: Any) -> bytes:
    return exchange.path.encode() + exchange.query


def _refuses_what_is_unknown(*_: Any) -> Any:
    raise InvalidRequestError


class _Everybody:
    def __contains__(self, _: object) -> bool:
        return True


def _believes_anybody(certificates: Certificates, _: Any) -> None:
    certificates._terminators = _Everybody()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]


async def _takes_any_nonce(_: Any, claims: dict[str, Any], __: Any) -> None:
    claims["nonce"]


async def _never_used(*_: Any) -> bool:
    return True


def _cases(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{folder}{name}" for name in names)


_WITH_CERTIFICATE = _cases("identity/certificate-", "right", "each-call")
_NONCES = _cases("identity/dpop-nonce-", "missing", "made-up", "right", "replay")

WEAKER: Mapping[str, Weaker] = MappingProxyType(
    {
        "no monthly quota": Weaker(
            _cases("rate_limit/month-", "told", "refusal-is-free"), _plans(monthly_quota=None)
        ),
        "no limit of calls at once": Weaker(("rate_limit/at-once",), _plans(concurrency=None)),
        "nothing is shed": Weaker(
            ("load_shedding/background",), lambda settings: replace(settings, load_shedding=None)
        ),
        "no version ever goes": Weaker(
            (
                "answer/version-deprecated",
                *_cases("contract/version-", "retired", "retired-waiver-expired", "draft-others"),
                *_cases("route/version-gone-", "get", "post", "system"),
            ),
            lifecycles=lambda _: {},
        ),
        "every version goes": Weaker(
            ("answer/version-published",),
            lifecycles=lambda found: {**found, "process/works@1": found["process/ledger@1"]},
        ),
        "every version has gone": Weaker(
            ("route/version-gone-other",),
            lifecycles=lambda found: {**found, "process/bygone@2": found["process/bygone@1"]},
        ),
        "no waivers and no trials": Weaker(
            _cases("contract/version-", "retired-waived", "draft"),
            lifecycles=_lifecycles(waivers=(), trial=()),
        ),
        "nobody is asked who they are": Weaker(
            ("contract/version-retired-stranger", "cache/kept-stranger"),
            patches=((IdentityPolicy, "wrap", lambda _, __, call_next: call_next),),
        ),
        "no revocation is heard of": Weaker(
            _cases("identity/revocation-", "token", "consumer", "subject", "given-back"),
            patches=((Revoked, "covers", lambda *_: False),),
        ),
        "revoked for good": Weaker(
            ("identity/revocation-is-no-ban",),
            patches=((Revoked, "covers", lambda _, consumer, *__: consumer == "left"),),
        ),
        "a token given back is anybody's": Weaker(
            ("identity/revocation-by-another",), patches=((server._Token, "check_client", lambda *_: True),)
        ),
        "any secret will do": Weaker(
            ("identity/revocation-wrong-secret",),
            patches=((server.IssuerClient, "check_client_secret", lambda *_: True),),
        ),
        "what is unknown cannot be given back": Weaker(
            ("identity/revocation-given-back-twice",),
            patches=((server.Server, "read_token", _refuses_what_is_unknown),),
        ),
        "no proxy is believed": Weaker(_WITH_CERTIFICATE, _identity(certificate_proxies=())),
        "certificates are not looked at": Weaker(
            _cases(
                "identity/certificate-",
                *("other", "missing", "from-anybody", "from-a-pretended-proxy", "twice", "malformed"),
                "each-call",
            ),
            patches=((Certificates, "check", lambda *_: None),),
        ),
        "anybody's certificate is believed": Weaker(
            _cases("identity/certificate-", "from-anybody", "from-a-pretended-proxy", "each-call"),
            patches=((Certificates, "__init__", _believes_anybody),),
        ),
        "no nonces": Weaker(_NONCES, _identity(dpop=DPoPSettings())),
        "any nonce will do": Weaker(
            ("identity/dpop-nonce-made-up",), patches=((Proofs, "_check_nonce", _takes_any_nonce),)
        ),
        "no proof is ever used": Weaker(
            ("identity/dpop-nonce-replay",), patches=((Memory, "spend", _never_used),)
        ),
        "no scheme but Bearer": Weaker(
            ("authorisation/challenge-dpop", "identity/malformed-dpop"),
            patches=(
                (
                    Challenges,
                    "malformed",
                    lambda self, _, said: self._error("bearer", "invalid_request", said),
                ),
                (
                    Challenges,
                    "insufficient",
                    lambda _, __, scope: {
                        "WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'
                    },
                ),
            ),
        ),
        "no challenge": Weaker(
            ("authorisation/challenge-bearer",), patches=((Challenges, "insufficient", lambda *_: {}),)
        ),
        "nothing is kept": Weaker(
            _cases("cache/kept", "", "-head", "-not-modified", "-unless-refused", "-or-nothing"),
            lambda settings: replace(settings, cache=replace(settings.cache, max_bytes=0)),
        ),
        "what is kept is everybody's": Weaker(
            _cases("cache/kept-of-another-", "consumer", "person", "scope", "language"),
            patches=((reading, "_key", _shows_one_to_all),),
        ),
        "what is kept answers every query": Weaker(
            ("cache/kept-of-another-query",),
            patches=((reading, "_key", lambda exchange: exchange.path.encode()),),
        ),
        "what is kept has no conditions": Weaker(
            ("cache/kept-not-modified",), patches=((reading, "met", lambda _, reply: reply),)
        ),
        "no write outdates": Weaker(
            ("cache/kept-until-written",), patches=((tags.CacheTag, "invalidate", lambda _: None),)
        ),
        "a refused write outdates": Weaker(
            ("cache/kept-unless-refused",), patches=((cache, "_REFUSAL", 1000),)
        ),
        "nobody is asked how old it may be": Weaker(
            _cases(
                "cache/kept-", "asked-anew-no-cache", "asked-anew-max-age", "not-for-no-store", "or-nothing"
            ),
            patches=((reading, "cache_directives", lambda _: CacheDirectives()),),
        ),
        "answers are not looked at": Weaker(
            _cases("contract/answer-", "unfit", "unfit-status", "unfit-kind", "unfit-text"),
            lambda settings: replace(
                settings,
                contract=replace(settings.contract, answers=answers.AnswerValidationSettings(mode="off")),
            ),
        ),
        "every answer is against its contract": Weaker(
            ("contract/answer-fits",),
            patches=((answers._DocumentedAnswers, "faults", lambda *_: [Fault("", "so it is", "so")]),),
        ),
        "requests under one key are all the same": Weaker(
            ("idempotency_key/another-body",), patches=((idempotency_key, "_fingerprint", lambda _: ""),)
        ),
        "a key is everybody's": Weaker(
            ("idempotency_key/of-another-consumer",), patches=((Caller, "principal", "somebody"),)
        ),
        "failures are kept": Weaker(
            ("idempotency_key/failure-is-not-kept",), patches=((idempotency_key, "_SERVER_ERROR", 1000),)
        ),
    }
)
