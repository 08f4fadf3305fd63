"""tests/gateway: requests against the frozen document."""

import json
from typing import Any

import pytest

from gateway.policies.contract.validators import Validator
from tests.gateway.deployment import ORDER, Deployment, pointers, problem

SHOP = "/experience/shop/v1"


async def send(deployment: Deployment, content: bytes | str, key: str = "key-contract") -> Any:
    headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
    return await deployment.call("POST", f"{SHOP}/orders", headers=headers, content=content)


async def test_every_fault_of_a_body_is_told_with_its_pointer(deployment: Deployment):
    """Unknown, missing, mistyped and malformed fields are all listed, at any depth."""
    body = {
        "customer": "",
        "due": "tomorrow",
        "colour": "red",
        "a/b~c": 1,
        "lines": [
            {"name": "x", "quantity": 0},
            {"quantity": "two", "price": {"amount": 3.2, "currency": "euro", "rate": 1}},
        ],
    }
    found = problem(await send(deployment, json.dumps(body)), 422, "invalid")
    assert pointers(found) == {
        "/customer",
        "/due",
        "/colour",
        "/a~1b~0c",
        "/lines/0/quantity",
        "/lines/1/quantity",
        "/lines/1/name",
        "/lines/1/price/amount",
        "/lines/1/price/currency",
        "/lines/1/price/rate",
    }


async def test_faults_of_path_query_and_headers_are_told_together(deployment: Deployment):
    """Nobody has to come again for the next fault."""
    answer = await deployment.call(
        "GET", f"{SHOP}/orders?limit=0&state=lost&since=now&since=then&sort=up&mine=1"
    )
    found = problem(answer, 422, "invalid")
    assert pointers(found) == {
        "/query/limit",
        "/query/state",
        "/query/since",
        "/query/sort",
        "/query/mine",
    }


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", "50-None-False"),
        ("?limit=200", "200-None-False"),
        ("?state=open&mine=true", "50-open-True"),
        ("?since=2026-01-01T00%3A00%3A00Z", "50-None-False"),
    ],
)
async def test_good_queries_pass_with_their_types(deployment: Deployment, query: str, seen: str):
    """Numbers, choices, booleans and instants reach the tier as such."""
    answer = await deployment.call("GET", f"{SHOP}/orders{query}")
    assert (answer.status_code, answer.json()["id"]) == (200, seen)


@pytest.mark.parametrize(
    "query", ["?limit=", "?limit=1.5", "?limit=0x10", "?limit=null", "?state=", "?mine=yes", "?limit=+5"]
)
async def test_odd_values_are_422(deployment: Deployment, query: str):
    """A value has exactly one spelling."""
    problem(await deployment.call("GET", f"{SHOP}/orders{query}"), 422, "invalid")


async def test_a_query_that_is_no_utf8_is_400(deployment: Deployment):
    """Bytes that are no text are refused."""
    problem(await deployment.call("GET", f"{SHOP}/orders?state=%ff"), 400, "bad_request")


async def test_a_query_with_a_nul_is_400(deployment: Deployment):
    """U+0000 is in no text that can be looked for."""
    problem(await deployment.call("GET", f"{SHOP}/orders?state=%00"), 400, "bad_request")


async def test_an_id_that_cannot_be_one_is_422(deployment: Deployment):
    """The path's parameters are held to the document, too."""
    found = problem(await deployment.call("GET", f"{SHOP}/orders/%20"), 422, "invalid")
    assert pointers(found) == {"/path/order_id"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "bad_json"),
        (b"{", "bad_json"),
        (b"{'a': 1}", "bad_json"),
        (b'{"customer": NaN}', "bad_json"),
        (b'{"customer": "\xff"}', "bad_json"),
        (b'{"customer": "\\ud800"}', "bad_json"),
        (b'{"customer": 1e999}', "bad_json"),
        (b'{"customer": "a"} {}', "bad_json"),
        (b'{"customer": "a", "customer": "b"}', "duplicate_keys"),
        (b'{"lines": [{"name": "a", "n\\u0061me": "b"}]}', "duplicate_keys"),
        (b'{"customer": ' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'{"a":' * 20_000 + b"1" + b"}" * 20_000, "too_deep"),
    ],
)
async def test_a_body_that_is_no_plain_json_is_400(deployment: Deployment, content: bytes, code: str):
    """Bad syntax, doubled keys and deep nesting are told apart, and none reaches a tier."""
    problem(await send(deployment, content), 400, code)


async def test_brackets_in_text_are_no_depth(deployment: Deployment):
    """Depth counts containers, not characters."""
    body = {**ORDER, "lines": [{"name": '[[{{"\\[' * 4 + str(number)} for number in range(50)]}
    assert (await send(deployment, json.dumps(body))).status_code == 202


async def test_text_with_nul_is_422(deployment: Deployment):
    """PostgreSQL cannot keep U+0000, so it is refused where it can be told."""
    found = problem(
        await send(deployment, b'{"customer": "a", "lines": [{"name": "x\\u0000"}]}'), 422, "invalid"
    )
    assert "/lines/0/name" in pointers(found)


async def test_an_escaped_backslash_before_u0000_is_only_text(deployment: Deployment):
    """Six characters that look like an escape are six characters."""
    answer = await send(deployment, b'{"customer": "a", "lines": [{"name": "x\\\\u0000"}]}')
    assert answer.status_code == 202


async def test_values_are_not_repeated_in_faults(deployment: Deployment):
    """What was sent may be a secret: a fault names the place, not the value."""
    body = {**ORDER, "lines": [{"name": "x", "quantity": "hunter2"}]}
    assert "hunter2" not in (await send(deployment, json.dumps(body))).text


async def test_if_match_is_required_where_declared(deployment: Deployment):
    """Without it 428, malformed 422, stale 412, current 200."""
    url = f"{SHOP}/orders/o-1"
    problem(await deployment.call("PUT", url, json=ORDER), 428, "precondition_required")
    malformed = await deployment.call("PUT", url, json=ORDER, headers={"If-Match": "1"})
    assert pointers(problem(malformed, 422, "invalid")) == {"/header/If-Match"}
    problem(await deployment.call("PUT", url, json=ORDER, headers={"If-Match": '"0"'}), 412, "stale_version")
    assert (await deployment.call("PUT", url, json=ORDER, headers={"If-Match": '"1"'})).status_code == 200


async def test_the_idempotency_key_is_required_where_declared(deployment: Deployment):
    """A start without a key is 400, with a malformed one 422."""
    problem(await deployment.call("POST", f"{SHOP}/orders", json=ORDER), 400, "missing_header")
    found = problem(await deployment.place(key="x"), 422, "invalid")
    assert pointers(found) == {"/header/Idempotency-Key"}


async def test_an_operation_without_a_body_takes_none(deployment: Deployment):
    """Nothing and an empty object pass; anything else is a fault."""
    url = f"{SHOP}/orders/o-1/poke"
    for content in (b"", b"{}"):
        headers = {"Content-Type": "application/json"}
        assert (await deployment.call("POST", url, content=content, headers=headers)).status_code == 200
    problem(await deployment.call("POST", url, json={"hard": True}), 422, "invalid")


async def test_validators_are_built_once(deployment: Deployment, monkeypatch: pytest.MonkeyPatch):
    """No request compiles a schema (carbon-apimgt#12494)."""

    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(Validator, "__init__", never)
    assert (await send(deployment, json.dumps(ORDER))).status_code == 202
    problem(await send(deployment, b"{}"), 422, "invalid")


def test_a_broken_schema_is_refused_when_the_door_opens():
    """Nothing passes because its schema is broken (prism#2442)."""
    with pytest.raises(ValueError, match="type"):
        Validator({"type": "no-such-type"}, {})
    with pytest.raises(Exception, match="Missing"):
        Validator({"$ref": "#/components/schemas/Missing"}, {})


def test_alternatives_report_the_branch_that_was_meant():
    """A tagged alternative tells its own faults, not that nothing fitted."""
    components = {
        "schemas": {
            "Cat": {
                "type": "object",
                "required": ["kind", "lives"],
                "properties": {"lives": {"type": "integer"}},
            },
            "Dog": {
                "type": "object",
                "required": ["kind", "name"],
                "properties": {"name": {"type": "string"}},
            },
        }
    }
    pets = {
        "anyOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {"cat": "#/components/schemas/Cat", "dog": "#/components/schemas/Dog"},
        },
    }
    validator = Validator(pets, components)
    assert validator.is_valid({"kind": "cat", "lives": 9})
    assert [fault.pointer for fault in validator.faults({"kind": "cat", "lives": "many"})] == ["/lives"]
    assert [fault.pointer for fault in validator.faults({"kind": "fish"})] == ["/kind"]
    assert [fault.pointer for fault in validator.faults({"kind": "dog"})] == ["/name"]


def test_keywords_of_the_dialect_are_honoured():
    """2020-12 keywords are not silently passed over (prism#2843)."""
    schema = {"type": "object", "allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}
    assert not Validator(schema, {}).is_valid({"b": 1})
    assert not Validator({"type": "array", "prefixItems": [{"type": "string"}]}, {}).is_valid([1])
