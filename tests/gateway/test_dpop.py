"""tests/gateway: proofs of possession: replay, nonces, and what happens when nobody remembers."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.problems import Unavailable
from gateway.identity import Memory, dpop
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from kit.cache import Cache
from tests.gateway.deployment import PLANS, URL, Deployment, problem
from tests.gateway.forge import LOGIN, ORDERS, Forge


@pytest.fixture(scope="module")
def forge() -> Iterator[Forge]:
    found = Forge()
    yield found
    found.close()


@pytest.fixture
async def caches(cache_url: str) -> AsyncIterator[tuple[Cache, Cache]]:
    """The cache, as two replicas hold it."""
    found = Cache(cache_url, timeout=5), Cache(cache_url, timeout=5)
    yield found
    for cache in found:
        await cache.close()


def door(forge: Forge, folder: Path, settings: dpop.DPoPSettings | None = None, **more: Any) -> Deployment:
    """A gateway that believes the forge's issuers."""

    async def fetch(_: str) -> dict[str, Any]:
        return forge.jwks("login")

    issuers = tuple(issuer for issuer in forge.issuers() if issuer.issuer == LOGIN)
    identity = IdentitySettings(issuers=issuers, dpop=settings or dpop.DPoPSettings())
    return Deployment(folder, GatewaySettings(plans=PLANS, identity=identity), fetch=fetch, **more)


async def read(deployment: Deployment, token: str, proof: str) -> httpx.Response:
    return await deployment.call("GET", ORDERS, "", headers={"Authorization": f"DPoP {token}", "DPoP": proof})


async def test_a_proof_is_good_for_one_call(forge: Forge, keys_folder: Path):
    """The token is remembered, the proof is asked for again with every call."""
    deployment, token = door(forge, keys_folder), forge.bound()
    proof = forge.proof(token)
    assert (await read(deployment, token, proof)).status_code == 200
    problem(await read(deployment, token, proof), 401, "invalid_dpop_proof")
    assert (await read(deployment, token, forge.proof(token))).status_code == 200


async def test_who_lacks_a_scope_is_told_so_in_the_scheme_in_which_they_came(forge: Forge, keys_folder: Path):
    """With a proof by DPoP (RFC 9449 section 7.1), otherwise by Bearer (RFC 6750 section 3.1)."""
    deployment = door(forge, keys_folder)
    token = forge.bound(scope="process.works.read")
    bound = await read(deployment, token, forge.proof(token))
    plain = forge.token(scope="process.works.read")
    bearer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {plain}"})
    for answer, scheme in ((bound, "DPoP"), (bearer, "Bearer")):
        problem(answer, 403, "insufficient_scope")
        told = answer.headers["www-authenticate"]
        assert told.startswith(f"{scheme} realm=")
        assert 'error="insufficient_scope", scope="experience.shop.read"' in told
        assert "/.well-known/oauth-protected-resource" in told


async def test_a_proof_used_at_one_replica_is_used_at_all(
    forge: Forge, keys_folder: Path, caches: tuple[Cache, Cache]
):
    """Replicas remember proofs together, in the cache."""
    one, two = (door(forge, keys_folder, cache=cache, workers=2) for cache in caches)
    token = forge.bound()
    proof = forge.proof(token)
    assert (await read(one, token, proof)).status_code == 200
    problem(await read(two, token, proof), 401, "invalid_dpop_proof")


async def test_without_the_cache_no_proof_is_taken(forge: Forge, keys_folder: Path, tmp_path: Path):
    """Where used proofs are remembered in a cache that is gone, identity fails closed: 503."""
    gone = Cache(f"unix://{tmp_path}/none.sock")
    deployment, token = door(forge, keys_folder, cache=gone, workers=2), forge.bound()
    answer = await read(deployment, token, forge.proof(token))
    problem(answer, 503, "unavailable")
    assert (answer.headers["retry-after"], gone.failures["dpop"]) == ("1", 1)
    bearer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {forge.token()}"})
    assert bearer.status_code == 200


async def test_several_workers_without_a_cache_take_no_proof(forge: Forge, keys_folder: Path):
    """Memory that processes do not share cannot tell a replay."""
    deployment, token = door(forge, keys_folder, workers=2), forge.bound()
    problem(await read(deployment, token, forge.proof(token)), 503, "unavailable")


async def test_the_memory_of_one_process_is_bounded_and_never_forgets_early(monkeypatch: pytest.MonkeyPatch):
    """A full memory takes no further proof, rather than forget one that could come again."""
    monkeypatch.setattr(dpop, "_MANY", 3)
    memory = Memory(None, alone=True)
    for name in "abc":
        assert await memory.spend(name, 60)
    with pytest.raises(Unavailable):
        await memory.spend("d", 60)
    assert not await memory.spend("a", 60)


async def test_room_is_made_of_what_has_expired(monkeypatch: pytest.MonkeyPatch):
    """Proofs that are too old to be taken need not be remembered."""
    monkeypatch.setattr(dpop, "_MANY", 3)
    memory = Memory(None, alone=True)
    for name in "abc":
        assert await memory.spend(name, 0)
    assert await memory.spend("d", 60)


async def test_a_nonce_is_asked_for_and_taken(forge: Forge, keys_folder: Path, caches: tuple[Cache, Cache]):
    """Where nonces are on: 401 use_dpop_nonce with a nonce, which every replica then takes (RFC 9449 §9)."""
    settings = dpop.DPoPSettings(nonces=True)
    one, two = (door(forge, keys_folder, settings, cache=cache, workers=2) for cache in caches)
    token = forge.bound()
    for wrong in ({}, {"nonce": "made-up"}, {"nonce": 7}):
        answer = await read(one, token, forge.proof(token, **wrong))
        problem(answer, 401, "use_dpop_nonce")
        assert answer.headers["www-authenticate"].startswith('DPoP realm="enfilade"')
        assert 'error="use_dpop_nonce"' in answer.headers["www-authenticate"]
    nonce = answer.headers["dpop-nonce"]
    assert len(nonce) >= 32
    for deployment in (one, two):
        assert (await read(deployment, token, forge.proof(token, nonce=nonce))).status_code == 200


async def test_a_nonce_that_grows_old_is_replaced_in_time(
    forge: Forge, keys_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """The last nonce is taken still, with the new one in the answer; the one before it is not."""
    deployment, token = (
        door(forge, keys_folder, dpop.DPoPSettings(nonces=True, nonce_seconds=10)),
        forge.bound(),
    )
    real, ahead = dpop.time.time, 0.0
    started = real() // 10 * 10 + 5

    class Later:
        @staticmethod
        def time() -> float:
            return started + ahead

        monotonic = staticmethod(dpop.time.monotonic)

    monkeypatch.setattr(dpop, "time", Later)
    first = (await read(deployment, token, forge.proof(token))).headers["dpop-nonce"]
    answer = await read(deployment, token, forge.proof(token, nonce=first))
    assert (answer.status_code, answer.headers.get("dpop-nonce")) == (200, None)
    ahead = 10
    answer = await read(deployment, token, forge.proof(token, nonce=first))
    assert answer.status_code == 200
    second = answer.headers["dpop-nonce"]
    assert second != first
    ahead = 20
    problem(await read(deployment, token, forge.proof(token, nonce=first)), 401, "use_dpop_nonce")
    assert (await read(deployment, token, forge.proof(token, nonce=second))).status_code == 200


async def test_a_proof_names_the_public_address_whatever_the_proxy_made_of_it(
    forge: Forge, keys_folder: Path
):
    """A Host that a proxy rewrote on the way does not matter: callers know us by our public address."""
    deployment, token = door(forge, keys_folder), forge.bound()
    headers = {"Authorization": f"DPoP {token}", "DPoP": forge.proof(token), "Host": "inner.internal:8080"}
    assert (await deployment.call("GET", ORDERS, "", headers=headers)).status_code == 200
    inner = forge.proof(token, htu="http://inner.internal:8080" + ORDERS)
    headers |= {"DPoP": inner}
    problem(await deployment.call("GET", ORDERS, "", headers=headers), 401, "invalid_dpop_proof")


async def test_a_stolen_token_is_of_no_use_at_any_operation(forge: Forge, keys_folder: Path):
    """What was remembered for the holder is not believed of a thief."""
    deployment, token = door(forge, keys_folder), forge.bound()
    assert (await read(deployment, token, forge.proof(token))).status_code == 200
    problem(await read(deployment, token, forge.proof(token, key=forge.thief)), 401, "invalid_token")
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"DPoP {token}"})
    problem(answer, 401, "invalid_dpop_proof")


async def test_the_resource_tells_how_proofs_are_signed(deployment: Deployment):
    """RFC 9728: the metadata names the algorithms of proofs, and that certificates are not believed here."""
    found = json.loads((await deployment.http.get("/.well-known/oauth-protected-resource")).text)
    assert found["dpop_signing_alg_values_supported"] == ["RS256", "PS256", "ES256", "ES384"]
    assert found["tls_client_certificate_bound_access_tokens"] is False
    bare = (await deployment.call("GET", ORDERS, "")).headers["www-authenticate"]
    assert f'DPoP realm="enfilade", resource_metadata="{URL}' in bare
    assert 'algs="RS256 PS256 ES256 ES384"' in bare
