"""tests/gateway: the gateway's own APIs, on the internal listener."""

import pytest

from tests.gateway.deployment import Deployment, problem

IN_FORCE = "/policy/in-force"


async def test_the_policy_in_force_is_told_by_its_digest(deployment: Deployment):
    """Who was granted it reads which policy new requests meet."""
    answer = await deployment.administer("GET", IN_FORCE)
    assert answer.status_code == 200, answer.text
    assert answer.json()["digest"] == deployment.gateway.runtime.bundle.digest
    assert answer.headers["correlation-id"]


@pytest.mark.parametrize(
    ("consumer", "status", "code"),
    [
        ("", 401, "unauthenticated"),
        ("finance", 403, "insufficient_scope"),
        ("partner", 403, "audience_forbidden"),
    ],
)
async def test_the_internal_listener_believes_nobody_for_being_inside(
    deployment: Deployment, consumer: str, status: int, code: str
):
    """An admin API asks for a token with its scope, wherever the caller stands."""
    problem(await deployment.administer("GET", IN_FORCE, consumer), status, code)


async def test_an_admin_api_does_not_stand_at_the_public_door(deployment: Deployment):
    """To the world there is no such address, whatever token comes with it."""
    problem(await deployment.call("GET", "/admin/v1" + IN_FORCE, "platform"), 404, "unknown_route")


async def test_the_public_apis_do_not_stand_on_the_internal_listener(deployment: Deployment):
    """What consumers call is called at the one gateway only."""
    answer = await deployment.internal.get("/experience/shop/v1/orders/o-1")
    problem(answer, 404, "unknown_route")


async def test_the_catalogue_does_not_tell_of_admin_apis(deployment: Deployment):
    """Consumers read of what they can reach."""
    listed = (await deployment.http.get("/apis")).json()["apis"]
    assert {entry["tier"] for entry in listed} == {"experience", "process", "system"}
