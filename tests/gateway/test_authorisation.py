"""tests/gateway: who may do what."""

from typing import Any

import pytest

from gateway.plans import Consumer, row_claims
from tests.gateway.deployment import ORDER, Deployment, problem


async def test_a_missing_scope_is_403_and_named(deployment: Deployment):
    """The challenge says which scope would do (RFC 6750)."""
    answer = await deployment.call("POST", "/process/works/v1/works/w/decision", "reader", json=ORDER)
    assert problem(answer, 403, "insufficient_scope")["scope"] == "process.works.approve"
    assert 'error="insufficient_scope", scope="process.works.approve"' in answer.headers["www-authenticate"]


async def test_a_scope_that_was_not_granted_does_not_count(deployment: Deployment):
    """A token may say what it likes: only what its consumer was granted counts."""
    token = deployment.issuer.mint("screen", scopes=["process.works.read"])
    answer = await deployment.call(
        "GET", "/process/works/v1/works/w", "", headers={"Authorization": f"Bearer {token}"}
    )
    problem(answer, 403, "insufficient_scope")


async def test_a_narrow_token_is_held_to_its_scopes(deployment: Deployment):
    """A token with less than was granted has less."""
    token = deployment.issuer.mint("ci", scopes=["experience.shop.read"])
    answer = await deployment.call(
        "POST",
        "/experience/shop/v1/orders",
        "",
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "key-00000003"},
        json=ORDER,
    )
    problem(answer, 403, "insufficient_scope")


async def test_consumers_from_outside_reach_experience_apis_only(deployment: Deployment):
    """Whatever scopes a partner has, processes and systems are not for it."""
    for path in ("/process/works/v1/works/w", "/system/vault-main/vault/v1/records/r"):
        found = problem(await deployment.call("GET", path, "partner"), 403, "audience_forbidden")
        assert "is open to consumers of the firm only" in found["detail"]
    assert (await deployment.call("GET", "/experience/shop/v1/orders/o", "partner")).status_code == 200


async def test_a_token_bound_to_an_instance_reaches_no_other(deployment: Deployment):
    """The claim `instance` binds system paths."""
    assert (await deployment.call("GET", "/system/vault-main/vault/v1/records/r", "bound")).status_code == 200
    answer = await deployment.call("GET", "/system/vault-other/vault/v1/records/r", "bound")
    problem(answer, 403, "forbidden")


async def test_another_customers_row_is_403(deployment: Deployment):
    """A row rule compares a path field with a claim."""
    mine = await deployment.call("GET", "/experience/shop/v1/customers/acme", "partner")
    theirs = await deployment.call("GET", "/experience/shop/v1/customers/globex", "partner")
    assert mine.status_code == 200
    problem(theirs, 403, "forbidden")


async def test_who_has_no_such_claim_is_not_restricted_unless_the_rule_says_so(deployment: Deployment):
    """Inside consumers see every row; a required claim is required."""
    assert (await deployment.call("GET", "/experience/shop/v1/customers/globex", "screen")).status_code == 200
    problem(
        await deployment.call("POST", "/experience/shop/v1/quotes", "screen", json=ORDER), 403, "forbidden"
    )


async def test_a_row_rule_reads_the_body_too(deployment: Deployment):
    """A body that names another customer is refused."""
    mine = await deployment.call("POST", "/experience/shop/v1/quotes", "partner", json=ORDER)
    theirs = await deployment.call(
        "POST", "/experience/shop/v1/quotes", "partner", json={**ORDER, "customer": "globex"}
    )
    assert mine.status_code == 200
    problem(theirs, 403, "forbidden")


async def test_a_claim_in_the_token_cannot_widen_the_consumers_own(deployment: Deployment):
    """What the consumers' file binds, no token unbinds."""
    token = deployment.issuer.mint("partner", customer="globex")
    answer = await deployment.call(
        "GET", "/experience/shop/v1/customers/globex", "", headers={"Authorization": f"Bearer {token}"}
    )
    problem(answer, 403, "forbidden")


async def test_an_operation_may_ask_for_a_role_beside_the_scope(deployment: Deployment):
    """One of its roles is enough; a scope without any of them is not."""
    path = "/process/works/v1/works/w/seal"
    assert (await deployment.call("POST", path, "finance")).status_code == 200
    refused = problem(await deployment.call("POST", path, "ci"), 403, "role_required")
    assert refused["detail"] == "The operation is for the roles finance, works"


async def test_a_role_that_was_not_granted_does_not_count(deployment: Deployment):
    """A token may name any role: only its consumer's count."""
    token = deployment.issuer.mint("ci", roles=["finance"])
    answer = await deployment.call(
        "POST", "/process/works/v1/works/w/seal", "", headers={"Authorization": f"Bearer {token}"}
    )
    problem(answer, 403, "role_required")


async def test_who_is_bound_to_legal_entities_does_not_reach_vendors_records(deployment: Deployment):
    """A system's records do not say whose they are."""
    record = "/system/vault-main/vault/v1/records/r"
    assert (await deployment.call("GET", record, "unbound")).status_code == 200
    token = deployment.issuer.mint("unbound", entities=["NB-US"])
    answer = await deployment.call("GET", record, "", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 403, "forbidden")


@pytest.mark.parametrize("value", [[], "", None, True, False, 1.5, {}, [None], [[]], {"acme": True}])
async def test_a_claim_without_a_name_reaches_no_row(deployment: Deployment, value: Any):
    """A claim that is there binds its caller, whatever it holds; the same call without it is answered."""
    record = "/system/vault-main/vault/v1/records/r"
    bound = [
        ("/experience/shop/v1/customers/acme", "screen", "customer"),
        (record, "unbound", "instance"),
        (record, "unbound", "entities"),
    ]
    for path, consumer, claim in bound:
        assert (await deployment.call("GET", path, consumer)).status_code == 200
        token = deployment.issuer.mint(consumer, **{claim: value})
        headers = {"Authorization": f"Bearer {token}"}
        problem(await deployment.call("GET", path, "", headers=headers), 403, "forbidden")


def test_a_token_narrows_its_consumers_legal_entities_and_never_widens_them():
    """What both name counts; who names nothing leaves it to the other; a claim that is no name is nothing."""
    bound = Consumer(title="", scopes=(), entities=("NB-UK", "NB-US"))
    free = Consumer(title="", scopes=())
    claimed = {"entities": ["NB-US", "NB-DE"]}
    assert row_claims(bound, claimed)["entities"] == ("NB-US",)
    assert row_claims(bound, {})["entities"] == ("NB-UK", "NB-US")
    assert row_claims(bound, {"entities": 7})["entities"] == ()
    assert row_claims(free, claimed)["entities"] == ("NB-US", "NB-DE")
    assert row_claims(free, {"entities": "NB-US"})["entities"] == ("NB-US",)
    assert "entities" not in row_claims(free, {})
