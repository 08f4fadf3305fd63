"""tests/kit: tokens of our own: who calls, through whom, for one tier, one operation, and a moment."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from litestar import Litestar

from contracts.problems import DeadlineExceeded, InsufficientScope, InvalidToken
from contracts.process.exceptions import Exceptions
from kit import clients, context, routes
from kit.delegation import ACCESS_TOKEN, delegation, delegation_verifier
from kit.operations import api_of
from kit.secrets import Secret

KEY = Secret("k" * 64)
SIGNING = OctKey.import_key(KEY.reveal())
PROCESS, READ = "enfilade:process", "process.exceptions.read"
FIONA = context.Caller(
    subject="fiona",
    consumer="finance-desk",
    scopes=frozenset({READ, "process.exceptions.approve", "gateway.keys.write"}),
    roles=frozenset({"finance"}),
    claims={"customer": "acme", "jti": "j-1", "cnf": {"jkt": "x"}, "iss": "https://login.test"},
    outside=True,
)
HERE = context.Context("cor_1", FIONA, actor="fiona", lane="batch")


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found = jwt.decode(token, SIGNING, algorithms=["HS256"])
    return found.header, found.claims


def test_an_exchange_answers_in_the_words_of_the_rfc():
    """RFC 8693: issued type, subject, actor, audience, the one scope, and a life of a minute at most."""
    with context.use(HERE):
        made = delegation(KEY, "gateway")(PROCESS, READ)
    header, claims = decoded(made.access_token)
    assert (made.issued_token_type, made.token_type, made.scope) == (ACCESS_TOKEN, "Bearer", READ)
    assert ACCESS_TOKEN == "urn:ietf:params:oauth:token-type:access_token"
    assert header["typ"] == "at+jwt"
    told = {name: claims[name] for name in ("iss", "sub", "aud", "client_id", "scope", "act")}
    assert told == {
        "iss": "enfilade:internal",
        "sub": "fiona",
        "aud": PROCESS,
        "client_id": "finance-desk",
        "scope": READ,
        "act": {"sub": "enfilade:gateway"},
    }
    assert claims["exp"] - claims["iat"] == made.expires_in == 60
    assert abs(claims["iat"] - time.time()) < 2


def test_no_token_outlives_its_deadline():
    """The token of a call that has two seconds lives for two, and there is none after the deadline."""
    exchange = delegation(KEY, "gateway")
    with context.use(HERE), context.within(1.5):
        assert exchange(PROCESS, READ).expires_in == 2
    with context.use(HERE), context.within(-1), pytest.raises(DeadlineExceeded):
        exchange(PROCESS, READ)


def test_what_concerned_the_callers_own_token_stays_behind():
    """Rows go along; issuer, id and binding of the token that the gateway has checked do not."""
    with context.use(HERE):
        _, claims = decoded(delegation(KEY, "gateway")(PROCESS, READ).access_token)
    assert claims["rows"] == {"customer": "acme"}
    assert claims["jti"] != "j-1"


def test_the_floor_learns_the_caller_with_the_one_scope():
    """Of all that the caller was granted it brings what the operation asks for."""
    with context.use(HERE):
        token = delegation(KEY, "gateway")(PROCESS, READ).access_token
    told = delegation_verifier(KEY, ["process"])(token)
    assert told.caller == context.Caller(
        "fiona", "finance-desk", frozenset({READ}), frozenset({"finance"}), {"customer": "acme"}, outside=True
    )
    assert (told.actor, told.lane, told.via) == ("fiona", "batch", ("enfilade:gateway",))


def test_actors_are_nested_the_nearest_outermost():
    """A tier that calls on for a caller names itself, and inside whoever called it (RFC 8693 §4.1)."""
    with context.use(context.Context("cor_1", FIONA, via=("enfilade:gateway",))):
        token = delegation(KEY, "process")("enfilade:system", "system.crm.read").access_token
    assert decoded(token)[1]["act"] == {"sub": "enfilade:process", "act": {"sub": "enfilade:gateway"}}
    assert delegation_verifier(KEY, ["system"])(token).via == ("enfilade:process", "enfilade:gateway")


def test_work_without_a_caller_speaks_for_who_began_it_or_for_itself():
    """A durable step has an actor and no caller; a sweep has neither."""
    exchange = delegation(KEY, "process")
    with context.use(context.Context("cor_1", actor="fiona")):
        token = exchange("enfilade:system", "system.crm.read").access_token
    assert (decoded(token)[1]["sub"], delegation_verifier(KEY, ["system"])(token).caller) == ("fiona", None)
    with context.use(context.Context("cor_1")):
        token = exchange("enfilade:system", "system.crm.read").access_token
    assert decoded(token)[1]["sub"] == "enfilade:process"


def forged(header: dict[str, Any] | None = None, key: OctKey = SIGNING, **other: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": "enfilade:internal",
        "sub": "fiona",
        "aud": PROCESS,
        "iat": now,
        "exp": now + 60,
        "jti": "j",
        "scope": READ,
        "act": {"sub": "enfilade:gateway"},
        **other,
    }
    content = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode({"alg": "HS256", "typ": "at+jwt", **(header or {})}, content, key)


def _nested(depth: int) -> dict[str, Any]:
    return {"sub": "a", "act": _nested(depth - 1)} if depth else {"sub": "a"}


def test_a_token_of_the_house_is_received():
    """What the next test spoils is good before."""
    assert delegation_verifier(KEY, ["process", "system"])(forged()).scope == READ


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "",
        forged(key=OctKey.import_key("x" * 64)),
        forged({"typ": "JWT"}),
        forged(iss="https://login.test"),
        forged(iss=...),
        forged(aud="enfilade:system"),
        forged(aud=[PROCESS]),
        forged(aud=...),
        forged(exp=int(time.time()) - 6, iat=int(time.time()) - 30),
        forged(exp=int(time.time()) + 3600),
        forged(iat=int(time.time()) + 3000, exp=int(time.time()) + 3030),
        forged(exp="soon"),
        forged(exp=...),
        forged(sub=...),
        forged(jti=""),
        forged(scope=...),
        forged(act=...),
        forged(act="enfilade:gateway"),
        forged(act={}),
        forged(act={"sub": 7}),
        forged(act={"sub": "a", "act": "b"}),
        forged(act=_nested(9)),
        forged(roles="finance"),
    ],
)
def test_any_other_token_is_refused(token: str):
    """Another key, kind, issuer, audience, time, or no actor: none of these opens a tier."""
    with pytest.raises(InvalidToken):
        delegation_verifier(KEY, ["process"])(token)


class Queue:
    """An exceptions queue that tells through whom it was asked."""

    async def get_exception(self, exception_id: str) -> Any:
        return {"id": exception_id, "via": context.current().via}

    def __getattr__(self, name: str) -> Any:
        return self.get_exception


@pytest.fixture
async def floor() -> AsyncIterator[httpx.AsyncClient]:
    """A process tier that stands alone."""
    app = Litestar(
        [routes.router(Exceptions, Queue(), api_of(Exceptions).prefix)],
        exception_handlers={Exception: routes.answer_problem},
        openapi_config=None,
    )
    door: Any = routes.require_delegation(app, KEY, ["process"])  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://floor") as http:
        yield http


async def test_a_token_is_good_for_its_own_operation_alone(floor: httpx.AsyncClient):
    """A token that was made to read decides nothing, on the tier that it was made for."""
    address = api_of(Exceptions).prefix + "/exceptions/exc_1"
    read = {"Authorization": f"Bearer {forged()}"}
    assert (await floor.get(address, headers=read)).json() == {"id": "exc_1", "via": ["enfilade:gateway"]}
    answer = await floor.post(f"{address}/resolution", headers=read, json={})
    assert (answer.status_code, answer.json()["code"]) == (403, InsufficientScope.code)


async def test_a_client_asks_for_the_operations_own_scope_and_floor(floor: httpx.AsyncClient):
    """The typed client exchanges for every call anew, and sends nothing of the caller's own credential."""
    asked: list[tuple[str, str]] = []
    exchange = delegation(KEY, "experience")

    def credential(audience: str, scope: str) -> Any:
        asked.append((audience, scope))
        return exchange(audience, scope)

    sent: list[httpx.Request] = []

    async def note(request: httpx.Request) -> None:
        sent.append(request)

    floor.event_hooks["request"].append(note)
    client = clients.remote(Exceptions, "http://floor" + api_of(Exceptions).prefix, floor, credential)
    with context.use(HERE), pytest.raises(Exception, match="required field"):
        await client.get_exception("exc_1")
    assert asked == [(PROCESS, READ)]
    assert [value for value in sent[0].headers.values() if "j-1" in value or "login.test" in value] == []
