"""tests/clients: the netsuite package, unmodified, takes the NetSuite stand-in for NetSuite."""

from decimal import Decimal

import pytest

from tests.clients.conftest import Told
from tests.support.sandboxes import Account

# One worker runs the script, and all look at what it printed.
pytestmark = pytest.mark.xdist_group("clients-netsuite")


def test_token_based_login(netsuite_package: Told, netsuite: Account) -> None:
    """A call signed by OAuth 1.0a at the account's own host is told whose token it is."""
    account = netsuite.env["NETSUITE_ACCOUNT"]
    assert netsuite_package["knows_whose_token_it_is"] == {
        "company": account,
        "account": account,
        "role": True,
    }


def test_a_customer_from_birth_to_death(netsuite_package: Told) -> None:
    """PUT by external id creates and then changes one customer, PATCH adds to it, and DELETE ends it."""
    assert netsuite_package["keeps_a_customer"] == {
        "kept": {"companyName": "Globex Corporation", "email": "pay@globex.example", "comments": "Asked for"},
        "gone": [404, "NONEXISTENT_ID"],
    }


async def test_an_order(netsuite_package: Told, netsuite: Account) -> None:
    """A sales order is made by POST, found by its Location, read with its lines; its customer must stay."""
    told = netsuite_package["creates_an_order"]
    assert told == {
        "status": 204,
        "body": "",
        "total": 180001.0,
        "lines": [[2, 90000.5]],
        "customer_needed": [400, "USER_ERROR"],
    }
    (order,) = await netsuite.records("salesOrder")
    assert (order["externalId"], Decimal(order["total"])) == ("con_0001", Decimal("180001.00"))


def test_post_has_no_body(netsuite_package: Told) -> None:
    """The client's `post` understands the empty answer of a creation, and a filter finds what was made."""
    assert netsuite_package["posts_a_customer"] == {"answer": None, "found": 1}


def test_refusals_are_read(netsuite_package: Told) -> None:
    """Faults reach the client as statuses with the vendor's own codes."""
    assert netsuite_package["is_refused_with_the_vendors_words"] == {
        "unknown_field": [400, "INVALID_CONTENT"],
        "missing": [400, "USER_ERROR"],
        "unknown_id": [404, "NONEXISTENT_ID"],
    }


def test_suiteql_pages(netsuite_package: Told) -> None:
    """SuiteQL gives pages that say how many rows there are and whether more follow, ids as text."""
    assert netsuite_package["pages_through_suiteql"] == {
        "names": [["Many 0", "Many 1", "Many 2"], ["Many 3", "Many 4", "Many 5"], ["Many 6"]],
        "more": [True, True, False],
        "total": 7,
        "ids_are_text": True,
    }


def test_the_metadata_catalogue(netsuite_package: Told) -> None:
    """The client reads a record's JSON schema and an OpenAPI document of the records that it names."""
    assert netsuite_package["reads_the_catalogue"] == {
        "company_name": "string",
        "openapi": "3.0.1",
        "records": ["customer", "salesOrder"],
    }


async def test_many_at_once(netsuite_package: Told, netsuite: Account) -> None:
    """Fifteen reads started at once are all answered: the client keeps within the account's concurrency."""
    assert netsuite_package["asks_many_things_at_once"] == ["Net 30", "Net 45", "Net 60"]
    reads = [call for call in await netsuite.calls() if "/record/v1/term/" in call["path"]]
    assert [call["status"] for call in reads] == [200] * 15
