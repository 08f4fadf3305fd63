"""tests/gateway: what stands where."""

from dataclasses import replace

import pytest

from contracts.problems import UnknownRoute
from gateway.pipeline import before_route, build
from gateway.policies.route import Mounted, RouteTable
from kit.operations import document
from tests.gateway.demo import Shop
from tests.gateway.house import House, problem


async def test_a_known_path_reaches_its_floor(house: House):
    """An operation answers through the door."""
    answer = await house.call("GET", "/experience/shop/v1/orders/o-1")
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
async def test_an_unknown_path_is_404_even_without_a_token(house: House, path: str):
    """What no interface declares does not exist."""
    problem(await house.call("GET", path, ""), 404, "unknown_route")


async def test_another_method_is_405_with_allow(house: House):
    """The answer says which methods the path takes."""
    answer = await house.call("DELETE", "/experience/shop/v1/orders/o-1")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT"


@pytest.mark.parametrize("method", ["TRACE", "QUERY", "PATCH"])
async def test_methods_that_nobody_declared_are_405(house: House, method: str):
    """TRACE and inventions are refused like any other."""
    problem(await house.call(method, "/experience/shop/v1/orders"), 405, "method_not_allowed")


async def test_options_tells_the_methods(house: House):
    """OPTIONS names all methods of the path, without a token."""
    answer = await house.call("OPTIONS", "/experience/shop/v1/orders", "")
    assert (answer.status_code, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")


async def test_head_is_get_without_its_body(house: House):
    """HEAD answers GET's headers."""
    answer = await house.call("HEAD", "/experience/shop/v1/orders/o-1")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_each_instance_of_a_system_api_has_its_own_path(house: House):
    """Two instances of one capability stand side by side."""
    for name in ("vault-main", "vault-other"):
        answer = await house.call("GET", f"/system/{name}/vault/v1/records/r-1", "reader")
        assert answer.status_code == 200


def test_a_document_that_lacks_an_operation_is_refused(house: House):
    """The door does not open with an interface that its frozen document does not know."""
    known = document(Shop)
    known["paths"].pop("/old")
    with pytest.raises(ValueError, match="lacks GET /old"):
        RouteTable([Mounted(Shop, known, house.apis[0].target)])


def test_two_apis_at_one_path_are_refused(house: House):
    """One path has one meaning."""
    with pytest.raises(ValueError, match="two routes stand at"):
        RouteTable([house.apis[0], house.apis[0]])


def test_a_route_that_no_policy_fits_is_not_served(house: House):
    """What is neither operation nor open address would pass all policies: the gateway does not start."""
    operation = next(route for route in house.gateway.table.routes if route.operation is not None)
    half = replace(operation, template="/half", operation=None)
    version = house.gateway._version
    table = RouteTable((), [half])
    with pytest.raises(ValueError, match="no policy fits"):
        build(before_route(house.gateway.settings, house.gateway._account), table, version.after)


async def test_a_route_that_was_never_composed_is_not_found(house: House):
    """A table without its policies answers nobody."""
    table = RouteTable(house.apis)
    with pytest.raises(UnknownRoute):
        table.find("GET", "/experience/shop/v1/orders")
