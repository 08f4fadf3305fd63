"""tests/gateway: key sets as identity providers publish them (key_sets.toml)."""

import base64
import json
import logging
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwk, jws

from gateway.identity import jose
from gateway.identity.keys import IssuerKeys

SETS = tomllib.loads(Path(__file__).with_name("key_sets.toml").read_text())["set"]


@cache
def _key(name: str) -> jose.Key:
    return jwk.RSAKey.generate_key(2048) if name.startswith("rsa") else jwk.ECKey.generate_key("P-256")


def _published(item: dict[str, Any]) -> dict[str, Any]:
    if "numbers" not in item:
        return item
    stated = {name: value for name, value in item.items() if name != "numbers"}
    public = _key(item["numbers"]).as_dict(private=False)
    return {**{name: public[name] for name in ("n", "e", "crv", "x", "y") if name in public}, **stated}


def _signed(header: dict[str, Any], by: str) -> jose.Parts:
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    if isinstance(header.get("kid", ""), str):
        return jose.take_apart(jws.serialize_compact(header, b'{"sub": "x"}', _key(by), registry=registry))
    token = jws.serialize_compact({"alg": header["alg"]}, b"{}", _key(by), registry=registry)
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return jose.take_apart(first + token[token.index(".") :])


@pytest.mark.parametrize("described", SETS, ids=lambda described: described["name"])
async def test_what_an_issuer_signed_is_taken(described: dict[str, Any], caplog: pytest.LogCaptureFixture):
    """Every key of the set verifies its own tokens; which keys are left out, and why, is in the log."""
    document = {"keys": [_published(item) for item in described["keys"]]}
    with caplog.at_level(logging.WARNING):
        keys = IssuerKeys(document=document)
    taken = [await keys.signed(_signed(token["header"], token["by"])) for token in described["tokens"]]
    assert taken == [token["taken"] for token in described["tokens"]]
    expected = described.get("left_out", {})
    logged = {record.msg["kid"]: record.msg["reason"] for record in caplog.records}  # pyright: ignore[reportArgumentType]
    assert logged.keys() == expected.keys()
    assert all(reason in logged[kid] for kid, reason in expected.items()), logged


async def test_keys_without_a_kid_that_were_replaced_are_fetched_again():
    """Where no kid shows a rotation, a signature that fits no key causes one fetch, at a bounded rate."""
    now, fetches, names = [0.0], [0], ["rsa-1"]

    async def fetch(_: str) -> dict[str, Any]:
        fetches[0] += 1
        return {"keys": [_published({"numbers": name, "kty": "RSA"}) for name in names]}

    keys = IssuerKeys(address="https://login.test/jwks", fetch=fetch, clock=lambda: now[0])
    assert await keys.signed(_signed({"alg": "RS256"}, "rsa-1"))
    names[:] = ["rsa-2"]
    assert not await keys.signed(_signed({"alg": "RS256"}, "rsa-2"))  # fetched just now
    now[0] += 11
    assert await keys.signed(_signed({"alg": "RS256"}, "rsa-2"))
    assert not await keys.signed(_signed({"alg": "RS256"}, "rsa-1"))
    assert fetches == [2]


async def test_the_log_names_a_bad_key_once(caplog: pytest.LogCaptureFixture):
    """A set that is fetched again and again with the same bad key says so at the first time only."""
    now = [0.0]

    async def fetch(_: str) -> dict[str, Any]:
        return {
            "keys": [_published({"numbers": "rsa-1", "kty": "RSA", "kid": "a"}), {"kid": "b", "kty": "OKP"}]
        }

    keys = IssuerKeys(address="https://login.test/jwks", fetch=fetch, clock=lambda: now[0])
    for _ in range(3):
        assert await keys.find("a", "RS256")
        now[0] += 301
    assert len(caplog.records) == 1
