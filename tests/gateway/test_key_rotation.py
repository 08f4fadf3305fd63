"""tests/gateway: the embedded issuer's keys turn over, and no token suffers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.identity.issuing.keyring import Keyring
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from kit import clock
from tests.gateway.deployment import PLANS, Deployment


def kids(deployment: Deployment) -> list[str]:
    return [key["kid"] for key in deployment.issuer.jwks()["keys"]]


async def used(deployment: Deployment, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await deployment.call("GET", "/experience/shop/v1/orders/o", "", headers=headers)).status_code


async def test_tokens_hold_across_rotations_in_every_process(tmp_path: Path):
    """Two processes share the keys: each believes what the other signs, before and after a rotation."""
    one, two = Deployment(tmp_path), Deployment(tmp_path)
    before = one.issuer.mint("ci")
    assert await used(two, before) == 200
    current, coming = kids(one)
    one.issuer.keyring.rotate()
    after = two.issuer.mint("ci")
    assert kids(two)[0] == coming
    assert current in kids(two)
    assert [await used(deployment, token) for deployment in (one, two) for token in (before, after)] == [
        200
    ] * 4


async def test_a_key_is_shown_before_it_signs_and_as_long_as_its_tokens_live(tmp_path: Path):
    """Next, current, retiring, and gone an hour after it signed its last token."""
    clock.set(clock.now())  # a slow machine must not pass for a late hour
    ring = Keyring(tmp_path, lifetime=3600)
    first, second = (key.kid for key in ring.list())
    assert [key.state for key in ring.list()] == ["current", "next"]
    try:
        ring.rotate()
        states = [(key.kid, key.state) for key in ring.list()]
        assert states[::2] == [(second, "current"), (first, "retiring")]
        clock.advance(3599)
        assert first in [key["kid"] for key in ring.jwks()["keys"]]
        clock.advance(2)
        assert first not in [key["kid"] for key in ring.jwks()["keys"]]
        ring.rotate()
        assert first not in [key.kid for key in ring.list()]
    finally:
        clock.real()


def test_of_many_that_would_rotate_an_old_key_one_does(tmp_path: Path):
    """Processes that find the key too old at the same moment rotate it once."""
    rings = [Keyring(tmp_path, lifetime=3600) for _ in range(4)]
    try:
        clock.advance(101)
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda ring: ring.rotate(older_than=100), rings))
    finally:
        clock.real()
    assert sorted(done) == [False, False, False, True]
    assert len({tuple(key.kid for key in ring.list()) for ring in rings}) == 1


def test_processes_that_start_together_make_one_set_of_keys(tmp_path: Path):
    """Whoever comes second takes what is there."""
    with ThreadPoolExecutor(4) as pool:
        rings = list(pool.map(lambda _: Keyring(tmp_path, lifetime=3600), range(4)))
    assert len({ring.list()[0].kid for ring in rings}) == 1


async def test_an_old_key_is_replaced_without_anybodys_doing(tmp_path: Path):
    """When the current key reaches the configured age, the next request for a token signs by the next one."""
    identity = IdentitySettings(embedded_key_days=1)
    deployment = Deployment(tmp_path, GatewaySettings(plans=PLANS, identity=identity))
    before, coming = kids(deployment)
    auth = ("screen", deployment.issuer.client_secret("screen"))
    try:
        clock.advance(86_401)
        await asyncio.gather(
            *(
                deployment.http.post("/oauth/token", data={"grant_type": "client_credentials"}, auth=auth)
                for _ in range(3)
            )
        )
    finally:
        clock.real()
    assert kids(deployment)[0] == coming
    assert kids(deployment).count(before) == 1


def test_no_token_outlives_its_key(tmp_path: Path):
    """A longer lifetime than keys are shown for is refused."""
    with pytest.raises(ValueError, match="3600"):
        Deployment(tmp_path).issuer.mint("ci", lifetime=3601)
