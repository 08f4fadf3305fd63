"""tests/gateway: opaque tokens: asked about once, believed for a moment, and not at all without an answer."""

import asyncio
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.problems import InvalidToken, Unavailable
from gateway.identity import Introspection, Introspector, Issuer, Rules
from gateway.identity import introspection as module
from gateway.pipeline import GatewaySettings
from gateway.plans import decode
from gateway.policies.identity import IdentitySettings, credential_verifiers
from kit.secrets import Secret
from kit.settings import SettingsError
from tests.gateway.deployment import PLANS, URL, Deployment
from tests.gateway.forge import ORDERS
from tests.gateway.test_identity import claims

ASKED = Introspection(
    endpoint="https://login.test/introspect",
    client_id="gateway",
    client_secret="env:SECRET",
    prefix="opq_",
    cache_seconds=10,
    negative_seconds=2,
)
ISSUER = Issuer(issuer="https://login.test", introspection=ASKED, audience="api")


class Desk:
    """An issuer's introspection endpoint, in memory."""

    def __init__(self, **told: Any) -> None:
        self.told = {"active": True, **claims(iss=ISSUER.issuer, aud="api"), **told}
        self.status, self.body = 200, b""
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def post(self, url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        assert (url, list(headers)) == (ASKED.endpoint, ["Authorization"])
        self.asked.append(form["token"])
        await self.gate.wait()
        return self.status, self.body or json.dumps(self.told).encode()

    def introspector(self, **other: Any) -> Introspector:
        issuer = msgspec.structs.replace(ISSUER, introspection=msgspec.structs.replace(ASKED, **other))
        return Introspector([issuer], Rules("ours"), self.post, lambda _: Secret("s"))


class Later:
    """The module's clock, moved on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real, self.seconds = module.time.time, 0.0
        monkeypatch.setattr(module, "time", self)
        self.time = lambda: real() + self.seconds


async def test_an_answer_is_believed_for_its_time_and_no_longer(monkeypatch: pytest.MonkeyPatch):
    """Within the ceiling nobody is asked again; beyond it the issuer's word counts anew."""
    desk, later = Desk(), Later(monkeypatch)
    introspector = desk.introspector()
    for _ in range(3):
        found = await introspector.verify("opq_a")
        assert found is not None
        assert (found.consumer, found.issuer.issuer) == ("ci", ISSUER.issuer)
    assert len(desk.asked) == 1
    desk.told = {"active": False}
    later.seconds = 11
    with pytest.raises(InvalidToken):
        await introspector.verify("opq_a")


async def test_an_answer_is_never_believed_beyond_the_tokens_expiry(monkeypatch: pytest.MonkeyPatch):
    """A token that expires before the ceiling is asked about again at its expiry."""
    now = int(module.time.time())
    desk, later = Desk(exp=now + 3), Later(monkeypatch)
    introspector = desk.introspector()
    await introspector.verify("opq_a")
    later.seconds = 4
    desk.told = {"active": False}
    with pytest.raises(InvalidToken):
        await introspector.verify("opq_a")
    assert len(desk.asked) == 2


async def test_a_door_that_asks_again_later_believes_no_longer(
    keys_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The policy's memory ends with the answer that it rests on, whenever it was filled."""
    desk, later = Desk(aud=URL), Later(monkeypatch)
    monkeypatch.setattr("gateway.policies.identity.time", later)
    issuer = msgspec.structs.replace(ISSUER, audience="")
    settings = GatewaySettings(plans=PLANS, identity=IdentitySettings(issuers=(issuer,)))
    deployment = Deployment(keys_folder, settings, post=desk.post, environ={"SECRET": "s"})
    identity: Any = deployment.gateway.runtime.version.after.identity
    statuses = []
    for later.seconds in (0, 9, 11):
        if later.seconds == 9:
            identity._known.clear()
        answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": "Bearer opq_a"})
        statuses.append((answer.status_code, len(desk.asked)))
        desk.told = {"active": False}
    assert statuses == [(200, 1), (200, 1), (401, 2)]


async def test_a_refusal_is_remembered_for_a_moment(monkeypatch: pytest.MonkeyPatch):
    """A token that is not active does not make us ask with every call."""
    desk, later = Desk(), Later(monkeypatch)
    desk.told = {"active": False}
    introspector = desk.introspector()
    for _ in range(3):
        with pytest.raises(InvalidToken, match="not active"):
            await introspector.verify("opq_a")
    assert len(desk.asked) == 1
    later.seconds = 3
    with pytest.raises(InvalidToken):
        await introspector.verify("opq_a")
    assert len(desk.asked) == 2


async def test_many_who_come_with_one_token_ask_once():
    """One flight per token, whose answer all of them get; one who leaves does not take it away."""
    desk = Desk()
    desk.gate.clear()
    introspector = desk.introspector()
    waiting = [asyncio.create_task(introspector.verify("opq_a")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.pop(0).cancel()
    desk.gate.set()
    assert {found.consumer for found in await asyncio.gather(*waiting) if found} == {"ci"}
    assert desk.asked == ["opq_a"]


async def test_questions_on_their_way_are_bounded():
    """A flood of made-up tokens becomes no flood at the issuer."""
    desk = Desk()
    desk.gate.clear()
    introspector = desk.introspector()
    waiting = [asyncio.create_task(introspector.verify(f"opq_{number}")) for number in range(100)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(desk.asked) == 20
    desk.gate.set()
    await asyncio.gather(*waiting)


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch):
    """The memory of answers does not grow with the number of tokens that were ever seen."""
    monkeypatch.setattr(module, "_MANY", 10)
    introspector = Desk().introspector()
    for number in range(50):
        await introspector.verify(f"opq_{number}")
    assert len(introspector._endpoints[0]._known) <= 10


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"{}"),
        (401, b'{"error":"invalid_client"}'),
        (200, b"oops"),
        (200, b"{}"),
        (200, b'{"active":"true"}'),
        (200, b'{"active":false,"active":true}'),
        (200, b'[{"active":true}]'),
    ],
)
async def test_without_an_answer_nobody_is_believed(status: int, body: bytes):
    """Whatever is no answer by RFC 7662 is an issuer that is away: 503, and asked again next time."""
    desk = Desk()
    desk.status, desk.body = status, body
    introspector = desk.introspector()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await introspector.verify("opq_a")
    assert len(desk.asked) == 2
    desk.status, desk.body = 200, b""
    assert await introspector.verify("opq_a") is not None


async def test_an_issuer_is_shown_its_own_tokens_only():
    """What does not begin like an issuer's tokens is not sent to it."""
    desk = Desk()
    assert await desk.introspector().verify("other_a") is None
    assert desk.asked == []


def test_prefixes_that_cannot_be_told_apart_are_refused():
    """Settings under which a token could be shown to the wrong issuer do not load."""
    asked = {"endpoint": "https://a.test/i", "client_id": "x", "client_secret": "env:S"}
    issuers = [
        {"issuer": "https://a.test", "introspection": {**asked, "prefix": "a"}},
        {"issuer": "https://b.test", "introspection": {**asked, "prefix": "ab"}},
    ]
    with pytest.raises(SettingsError, match="are ambiguous"):
        decode({"identity": {"issuers": issuers}}, GatewaySettings, "gateway.toml")


@pytest.mark.parametrize(
    "issuer",
    [
        {"issuer": "https://a.test"},
        {"issuer": "https://a.test", "jwks_uri": "http://a.test/jwks"},
        {"issuer": "https://a.test", "jwks_uri": "http://localhost.evil.test/jwks"},
        {"issuer": "https://a.test", "jwks_uri": "file:///etc/passwd"},
        {"issuer": "https://a.test", "jwks_uri": "https://a.test", "algorithms": ["HS256"]},
        {"issuer": "https://a.test", "jwks_uri": "https://a.test", "keys_stale_seconds": 20},
        {
            "issuer": "https://a.test",
            "introspection": {"endpoint": "https://a.test", "client_id": "x", "client_secret": "s3cret"},
        },
    ],
)
def test_an_issuer_that_could_be_forged_is_refused(issuer: dict[str, Any]):
    """No address without TLS, no symmetric algorithm, no secret in the file, no issuer without a face."""
    with pytest.raises(SettingsError):
        decode({"identity": {"issuers": [issuer]}}, GatewaySettings, "gateway.toml")


def test_a_secret_that_is_not_there_stops_the_start():
    """The reference is told, never a value."""
    with pytest.raises(SettingsError, match="the environment variable SECRET is not set"):
        credential_verifiers(
            IdentitySettings(issuers=(ISSUER,)),
            public_url="https://api.test",
            embedded=None,
            fetch=None,
            post=Desk().post,
            environ={},
            credential_status=None,
            memory=Any,
        )
