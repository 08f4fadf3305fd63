"""tests/gateway: every hostile credential of the corpus meets its refusal at a served gateway, over HTTP."""

import asyncio
import datetime as dt
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from bench.ports import free_port
from gateway.identity import api_keys, revocation
from kit.database import Database
from tests.gateway.deployment import URL
from tests.gateway.forge import TERMINATOR, Forge, client_cert
from tests.gateway.hostile_tokens import HOSTILE, Hostile, Sent, Yard, bearer, certified, dpop
from tests.support.databases import keyed
from tests.support.processes import GRANIAN, running
from tests.support.servers import create_database

METADATA = f'resource_metadata="{URL}/.well-known/oauth-protected-resource"'


@dataclass
class Served:
    """A served gateway, the ways to reach it, and its log."""

    yard: Yard
    direct: httpx.AsyncClient
    terminated: httpx.AsyncClient
    log: Path

    async def send(self, sent: Sent) -> httpx.Response:
        client = self.terminated if sent.terminated else self.direct
        for _ in range(2 if sent.twice else 1):
            answer = await client.get(sent.path, headers=[("Host", "gateway.test"), *sent.headers])
        return answer


@pytest.fixture(scope="module")
async def served(
    tmp_path_factory: pytest.TempPathFactory,
    keys_folder: Path,
    addresses: dict[str, str],
    worker_name: str,
    cache_url: str,
) -> AsyncIterator[Served]:
    """A gateway that takes every kind of credential, behind granian."""
    forge, port = Forge(), free_port()
    log = tmp_path_factory.mktemp("served") / "log"
    # A database of its own: a consumer has two live keys at most, and other tests make some, too.
    database = keyed(create_database(addresses["database_url"], f"hostile_{worker_name}"))
    yard = Yard(forge, await _make_keys(database))
    await database.close()
    environ = {
        "ISSUER_FOLDER": str(keys_folder),
        "DATABASE_URL": database.url,
        "CACHE_URL": cache_url,
        "INTROSPECTION_SECRET": "s3cret",
        "ISSUERS": msgspec.json.encode(forge.issuers()).decode(),
    }
    arguments = (*GRANIAN, "--port", str(port), "tests.gateway.served_identity:app")
    base = f"http://127.0.0.1:{port}"
    terminator = httpx.AsyncHTTPTransport(local_address=TERMINATOR)
    try:
        with log.open("wb") as output, running(*arguments, environ=environ, output=output) as process:
            async with (
                httpx.AsyncClient(base_url=base) as direct,
                httpx.AsyncClient(base_url=base, transport=terminator) as terminated,
            ):
                found = Served(yard, direct, terminated, log)
                await _await_ready(found, process)
                yield found
    finally:
        forge.close()


async def _make_keys(database: Database) -> dict[str, str]:
    """A good key, and one for each thing that can be wrong with a key; and what is revoked."""
    wanted: dict[str, dict[str, Any]] = {
        "good": {},
        "other kind": {"kind": "live"},
        "expired": {"consumer": "screen"},
        "revoked": {"consumer": "screen"},
        "stray": {"consumer": "nobody"},
        "sealed": {"consumer": "sealed"},
    }
    found = {}
    async with database.begin() as connection:
        for name, more in wanted.items():
            given = {"consumer": "ci", "kind": "test", "by": "test", **more}
            made, found[name] = await api_keys.create(connection, **given)
            if name == "revoked":
                await api_keys.revoke_key(connection, made.id, by="test")
            if name == "expired":
                past = api_keys.api_keys.update().where(api_keys.api_keys.c.id == made.id)
                await connection.execute(past.values(expires_at=made.made_at))
        for kind, name in (("token", "revoked-id"), ("subject", "leaver"), ("consumer", "dismissed")):
            soon = dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)
            await revocation.revoke(connection, kind=kind, name=name, by="test", issued_before=soon)
    return found


async def _await_ready(found: Served, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, found.log.read_text()
        try:
            if (await found.send(bearer(found.yard.keys["good"]))).status_code == 200:
                return
        except httpx.TransportError:
            pass
        await asyncio.sleep(0.05)
    raise AssertionError(found.log.read_text())


SOUND = {
    "a bearer token": lambda yard: bearer(yard.forge.token()),
    "a token by ES256": lambda yard: bearer(yard.forge.token({"alg": "ES256", "kid": "ec"}, yard.forge.ec)),
    "a token by ES384": lambda yard: bearer(
        yard.forge.token({"alg": "ES384", "kid": "ec384"}, yard.forge.ec384)
    ),
    "a token with its kind in full": lambda yard: bearer(yard.forge.token({"typ": "application/at+jwt"})),
    "a token for us among others": lambda yard: bearer(yard.forge.token(aud=["x", URL])),
    "a token expired within the leeway": lambda yard: bearer(
        yard.forge.token(iat=int(time.time()) - 60, exp=int(time.time()) - 10)
    ),
    "a token issued ahead within the leeway": lambda yard: bearer(
        yard.forge.token(iat=int(time.time()) + 10)
    ),
    "a token of a second issuer": lambda yard: bearer(
        yard.forge.token({"kid": "other-1"}, yard.forge.other, iss="https://other.test")
    ),
    "a key-bound token with its proof": lambda yard: dpop(
        token := yard.forge.bound(), yard.forge.proof(token)
    ),
    "a proof for the address in another spelling": lambda yard: dpop(
        token := yard.forge.bound(),
        yard.forge.proof(token, htu="HTTP://GATEWAY.test:80/experience/shop/v1/orders/o%2D1?x=1#y"),
    ),
    "a key-bound token of a consumer that must prove itself": lambda yard: dpop(
        token := yard.forge.bound(client_id="sealed"), yard.forge.proof(token)
    ),
    "a certificate-bound token with the certificate": lambda yard: certified(
        yard.forge.certified(client_id="certified"), client_cert(yard.forge.certificate)
    ),
    "an opaque token": lambda yard: bearer(yard.forge.active("good")),
    "an opaque token of a machine": lambda yard: bearer(yard.forge.active("machine", sub=...)),
    "an API key": lambda yard: bearer(yard.keys["good"]),
}


@pytest.mark.parametrize("name", SOUND)
async def test_a_sound_credential_is_believed(served: Served, name: str):
    """What the corpus spoils is good before it is spoilt."""
    answer = await served.send(SOUND[name](served.yard))
    assert (answer.status_code, answer.json().get("id")) == (200, "o-1"), answer.text


@pytest.mark.parametrize("hostile", HOSTILE, ids=str)
async def test_a_hostile_credential_is_refused(served: Served, hostile: Hostile):
    """Status, code and challenge are those of the RFCs, and nothing that was sent is repeated or logged."""
    sent = hostile.make(served.yard)
    answer = await served.send(sent)
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (
        hostile.status,
        hostile.status,
        hostile.code,
    )
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith(f'{hostile.scheme} realm="enfilade"')
    assert METADATA in challenge
    assert (f'error="{hostile.error}"' in challenge) if hostile.error else ("error" not in challenge)
    assert ('algs="' in challenge) == (hostile.scheme == "DPoP" or not hostile.error)
    log = served.log.read_text()
    for secret in _secrets(sent):
        assert secret not in log
        assert secret not in answer.text + str(answer.headers)


def _secrets(sent: Sent) -> set[str]:
    """Every part of what was sent that is long enough to be somebody's secret."""
    values = [value if isinstance(value, str) else value.decode("latin-1") for _, value in sent.headers]
    values.append(sent.path.partition("=")[2])
    parts = {part for value in values for part in value.replace(",", ".").split(".")}
    return {part for part in parts if len(part) > 24}


def test_the_corpus_is_as_large_as_it_was():
    """An attempt that is dropped from the corpus is missed."""
    assert len({hostile.name for hostile in HOSTILE}) == len(HOSTILE) >= 200


async def test_introspection_is_asked_as_a_client(served: Served):
    """The question is a form with the token, by HTTP Basic with both halves encoded (RFC 6749 §2.3.1)."""
    token = served.yard.forge.active("asked")
    await served.send(bearer(token))
    form, authorization = served.yard.forge.asked[-1]
    assert form == {"token": [token], "token_type_hint": ["access_token"]}
    assert authorization == "Basic Z2F0ZSt3YXk6czNjcmV0"
