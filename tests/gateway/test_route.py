"""tests/gateway: what stands where."""

from dataclasses import replace

import pytest

from contracts.problems import UnknownRoute
from gateway.inventory import Mounted
from gateway.pipeline import before_route, build
from gateway.policies.route import RouteTable
from kit.operations import document
from tests.gateway.demo import Shop
from tests.gateway.deployment import Deployment, problem


async def test_a_known_path_reaches_its_floor(deployment: Deployment):
    """An operation answers through the gateway."""
    answer = await deployment.call("GET", "/experience/shop/v1/orders/o-1")
    assert (answer.status_code, answer.json()["id"]) == (200, "o-1")
    assert answer.headers["etag"] == '"1"'


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/experience/shop/v1",
        "/experience/shop/v2/orders",
        "/experience/shop/v1/orders/",
        "/system/vault-none/vault/v1/records/r",
        "/experience",
    ],
)
async def test_an_unknown_path_is_404_even_without_a_token(deployment: Deployment, path: str):
    """What no interface declares does not exist."""
    problem(await deployment.call("GET", path, ""), 404, "unknown_route")


async def test_another_method_is_405_with_allow(deployment: Deployment):
    """The answer says which methods the path takes."""
    answer = await deployment.call("DELETE", "/experience/shop/v1/orders/o-1")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT"


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PATCH"])
async def test_methods_that_nobody_declared_are_405(deployment: Deployment, method: str):
    """TRACE and inventions are refused like any other."""
    problem(await deployment.call(method, "/experience/shop/v1/orders"), 405, "method_not_allowed")


async def test_options_tells_the_methods(deployment: Deployment):
    """OPTIONS names all methods of the path, without a token."""
    answer = await deployment.call("OPTIONS", "/experience/shop/v1/orders", "")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_head_is_get_without_its_body(deployment: Deployment):
    """HEAD answers GET's headers."""
    answer = await deployment.call("HEAD", "/experience/shop/v1/orders/o-1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_each_instance_of_a_system_api_has_its_own_path(deployment: Deployment):
    """Two instances of one capability stand side by side."""
    for name in ("vault-main", "vault-other"):
        answer = await deployment.call("GET", f"/system/{name}/vault/v1/records/r-1", "reader")
        assert answer.status_code == 200


def test_a_document_that_lacks_an_operation_is_refused(deployment: Deployment):
    """The gateway does not open with an interface that its frozen document does not know."""
    known = document(Shop)
    known["paths"].pop("/old")
    with pytest.raises(ValueError, match="lacks GET /old"):
        RouteTable([Mounted(Shop, known, deployment.apis[0].target)])


def test_two_apis_at_one_path_are_refused(deployment: Deployment):
    """One path has one meaning."""
    with pytest.raises(ValueError, match="two routes are declared for"):
        RouteTable([deployment.apis[0], deployment.apis[0]])


def test_a_route_that_no_policy_fits_is_not_served(deployment: Deployment):
    """What is neither operation nor open address would pass all policies: the gateway does not start."""
    operation = next(
        route for route in deployment.gateway.runtime.version.table.routes if route.operation is not None
    )
    half = replace(operation, template="/half", operation=None)
    version = deployment.gateway.runtime.version
    table = RouteTable((), [half])
    with pytest.raises(ValueError, match="no policy fits"):
        build(
            before_route(deployment.gateway.runtime.settings, deployment.gateway._account),
            table,
            version.after,
        )


async def test_a_route_that_was_never_composed_is_not_found(deployment: Deployment):
    """A table without its policies answers nobody."""
    table = RouteTable(deployment.apis)
    with pytest.raises(UnknownRoute):
        table.find("GET", "/experience/shop/v1/orders")
