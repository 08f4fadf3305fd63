"""tests/gateway: whatever a stranger writes where the gateway reads is answered, never an error of ours."""

import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
import pytest
from joserfc import jwk

from contracts.problems import InvalidToken, Unavailable
from gateway.exchange import Exchange
from gateway.identity import jose
from gateway.identity.keys import IssuerKeys
from gateway.pipeline import GatewaySettings
from gateway.policies.cors import CorsSettings
from gateway.policies.identity import IdentitySettings
from gateway.policies.load_shedding import LoadSheddingSettings
from gateway.policies.source_limit import SourceLimitSettings
from gateway.policies.wire import WireSettings
from kit.cache import Cache
from tests.gateway.deployment import ORDER, PLANS, Deployment
from tests.gateway.forge import LOGIN, Forge, encode
from tests.gateway.shelf import SHELF, ShelfTier, mounted
from tests.gateway.test_introspection import Desk
from tests.support.hostile_values import JSON, TEXTS

READ = "/experience/shop/v1/orders/o-1"
LIST = WRITE = "/experience/shop/v1/orders"
KEPT = f"{SHELF}/books/b-1"
WIRE = WireSettings(trusted_proxies=("127.0.0.0/8",), max_header_bytes=200_000, max_uri_bytes=200_000)
SETTINGS = GatewaySettings(
    plans=PLANS,
    wire=WIRE,
    cors=CorsSettings(origins=("https://page.test",)),
    source_limit=SourceLimitSettings(requests=1_000_000, batch=1000),
    load_shedding=LoadSheddingSettings(),
)


class Recording(dict[bytes, bytes]):
    """A request's headers; notes which are looked at."""

    looked_at: set[bytes] = set()  # noqa: RUF012 - one for all requests

    def get(self, key: bytes, default: Any = None) -> Any:
        self.looked_at.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, bytes):
            self.looked_at.add(key)
        return super().__contains__(key)

    def __getitem__(self, key: bytes) -> bytes:
        self.looked_at.add(key)
        return super().__getitem__(key)


@pytest.fixture
async def deployment(keys_folder: Path, cache_url: str) -> AsyncIterator[Deployment]:
    cache = Cache(cache_url, timeout=5)
    yield Deployment(keys_folder, SETTINGS, cache=cache, apis=(mounted(ShelfTier()),))
    await cache.close()


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is logged as an error, whatever was sent."""
    with caplog.at_level(logging.ERROR):
        yield
    assert [record.getMessage() for record in caplog.get_records("call")] == []


async def send(
    deployment: Deployment, method: str, path: str, query: bytes = b"", *headers: tuple[bytes, bytes]
) -> tuple[int, bytes]:
    """The answer to a request whose bytes are not looked at by any client library."""
    messages: list[dict[str, Any]] = []
    body = msgspec.json.encode(ORDER) if method == "POST" else b""
    raw_path = path.encode("utf-8", "surrogatepass")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def note(message: dict[str, Any]) -> None:
        messages.append(message)

    given = {
        b"host": b"gateway.test",
        b"authorization": f"Bearer {deployment.token('ci')}".encode(),
        b"idempotency-key": f"key-{time.perf_counter_ns()}".encode(),
        b"content-type": b"application/json",
        b"content-length": str(len(body)).encode(),
    }
    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(raw_path).decode(errors="replace"),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [*({**given, **dict(headers)}).items()],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    await deployment.gateway(scope, receive, note)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])


def raw(text: str) -> set[bytes]:
    """A text as the bytes of a header."""
    return {text.encode("utf-8", "surrogatepass"), text.encode("latin-1", "replace")}


async def test_no_header_that_is_read_breaks_a_request(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
):
    """Every header that any policy looks at may hold anything: the answer is a success or a refusal."""
    make = Exchange.__init__

    def make_recording(exchange: Exchange, *given: Any) -> None:
        make(exchange, *given)
        exchange.headers = Recording(exchange.headers)

    monkeypatch.setattr(Exchange, "__init__", make_recording)
    for method, path in (("GET", KEPT), ("POST", WRITE), ("OPTIONS", READ), ("GET", "/nowhere")):
        await send(deployment, method, path)
    names = sorted(Recording.looked_at)
    assert {b"authorization", b"cache-control", b"x-forwarded-for", b"traceparent"} <= set(names)
    for name in names:
        for label, text in TEXTS.items():
            for value in raw(text):
                for method, path in (("GET", KEPT), ("POST", WRITE)):
                    status, body = await send(deployment, method, path, b"", (name, value))
                    assert status < 500, (name, label, body)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        (b"cache-control", "max-age="),
        (b"cache-control", "min-fresh="),
        (b"authorization", "Bearer "),
        (b"authorization", "DPoP "),
        (b"authorization", "Basic "),
        (b"content-type", "application/json; charset="),
        (b"x-forwarded-for", "192.0.2.1, "),
        (b"traceparent", "00-"),
        (b"if-match", 'W/"1", '),
        (b"cookie", "__Host-enfilade-toy="),
    ],
)
async def test_no_part_of_a_header_breaks_a_request(deployment: Deployment, name: bytes, before: str):
    """The same behind what makes a header well-formed up to there."""
    for label, text in TEXTS.items():
        for value in raw(before + text):
            status, body = await send(deployment, "GET", KEPT, b"", (name, value))
            assert status < 500, (label, body)


async def test_no_id_and_no_parameter_breaks_a_request(deployment: Deployment):
    """Ids in paths and values in queries, encoded or not."""
    for label, text in TEXTS.items():
        encoded = quote(text.encode("utf-8", "surrogatepass"), safe="")
        for path in (f"{LIST}/{encoded}", f"{LIST}/{text}"):
            status, body = await send(deployment, "GET", path)
            assert status < 500, (label, body)
        for name in ("limit", "cursor", "state", "x"):
            for value in (encoded.encode(), text.encode("utf-8", "surrogatepass")):
                status, body = await send(deployment, "GET", LIST, name.encode() + b"=" + value)
                assert status < 500, (label, name, body)


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    found = Forge()
    yield found
    found.close()


async def test_no_claim_of_a_token_or_a_proof_breaks_a_request(forge: Forge, keys_folder: Path):
    """Whatever an issuer signed, and whatever a proof's maker signed: a refusal at most."""

    async def fetch(_: str) -> dict[str, Any]:
        return forge.jwks("login")

    issuers = tuple(issuer for issuer in forge.issuers() if issuer.issuer == LOGIN)
    settings = GatewaySettings(plans=PLANS, wire=WIRE, identity=IdentitySettings(issuers=issuers))
    deployment = Deployment(keys_folder, settings, fetch=fetch)
    bound = forge.bound()
    for label, text in TEXTS.items():
        for value in raw(text):
            headers = [(b"authorization", f"DPoP {bound}".encode()), (b"dpop", value)]
            status, body = await send(deployment, "GET", READ, b"", *headers)
            assert status < 500, (label, body)
    for label, value in JSON.items():
        if label == "a lone surrogate" or (isinstance(value, int) and value > 10**4000):
            continue  # JSON text has neither: see the next test
        for name in (*forge.claims(), "nbf", "cnf", "act", "entities", "instance", "customer", "groups"):
            header = (b"authorization", b"Bearer " + forge.token(**{name: value}).encode())
            status, body = await send(deployment, "GET", READ, b"", header)
            assert status < 500, (label, name, body)
        for name in ("jti", "htm", "htu", "iat", "ath", "nonce"):
            headers = [
                (b"authorization", f"DPoP {bound}".encode()),
                (b"dpop", forge.proof(bound, **{name: value}).encode()),
            ]
            status, body = await send(deployment, "GET", READ, b"", *headers)
            assert status < 500, (label, name, body)


@pytest.mark.parametrize(
    "payload",
    [
        b'{"sub": "\\ud800"}',
        b'{"exp": 1' + b"0" * 5000 + b"}",
        b'{"exp": 1e999}',
        b'{"exp": NaN}',
        b"[" * 5000 + b"]" * 5000,
        b"\xff\xfe",
        b"",
        b'"text"',
    ],
)
async def test_no_payload_of_a_token_breaks_a_request(forge: Forge, keys_folder: Path, payload: bytes):
    """What is no JSON object, or one that not every reader takes, is refused."""

    async def fetch(_: str) -> dict[str, Any]:
        return forge.jwks("login")

    issuers = tuple(issuer for issuer in forge.issuers() if issuer.issuer == LOGIN)
    settings = GatewaySettings(plans=PLANS, wire=WIRE, identity=IdentitySettings(issuers=issuers))
    deployment = Deployment(keys_folder, settings, fetch=fetch)
    token = f"{encode({'alg': 'RS256', 'typ': 'at+jwt', 'kid': 'rsa'})}.{encode(payload)}"
    sealed = forge.seal(*token.split("."), forge.rsa)
    status, _ = await send(deployment, "GET", READ, b"", (b"authorization", f"Bearer {sealed}".encode()))
    assert status == 401


async def test_no_introspection_answer_breaks_a_request():
    """Whatever an issuer answers about a token, the token is taken or refused."""
    for value in JSON.values():
        for name in ("active", "sub", "exp", "iat", "scope", "client_id", "aud", "iss", "cnf", "roles"):
            desk = Desk()
            try:
                desk.body = msgspec.json.encode({**desk.told, name: value})
            except (UnicodeEncodeError, OverflowError):
                continue
            with suppress(InvalidToken, Unavailable):
                await desk.introspector().verify("opq_a")


async def test_no_published_key_breaks_the_others():
    """A set with anything as a member of a key leaves the other keys usable."""
    good = {**jwk.ECKey.generate_key("P-256").as_dict(private=False), "kid": "good", "alg": "ES256"}
    for value in JSON.values():
        for name in (*good, "use", "key_ops", "x5c", "n", "e"):
            keys = IssuerKeys(document={"keys": [{**good, "kid": "odd", name: value}, value, good]})
            header = encode({"alg": "ES256", "kid": "good"})
            assert await keys.signed(jose.take_apart(f"{header}.e30.AAAA")) is False
