"""tests/clients: simple-salesforce, unmodified, takes the Salesforce stand-in for Salesforce."""

import pytest

from tests.clients.conftest import Told
from tests.support.sandboxes import Account

# One worker runs the script, and all look at what it printed.
pytestmark = pytest.mark.xdist_group("clients-salesforce")


def test_client_credentials_on_the_my_domain(simple_salesforce: Told) -> None:
    """The client logs in by client credentials at the org's own https host, and sees a sandbox org."""
    told = simple_salesforce["logs_in_by_client_credentials"]
    assert told == {"instance": told["my_domain"], "my_domain": told["my_domain"], "sandbox": True}


def test_jwt_bearer_at_the_login_host(simple_salesforce: Told, salesforce: Account) -> None:
    """A JWT signed with the key file logs in at login.salesforce.com and is sent to the org's own host."""
    told = simple_salesforce["logs_in_by_jwt"]
    assert told["instance"] == told["my_domain"]
    assert told["username"] == salesforce.env["SALESFORCE_USERNAME"]


def test_a_dead_session_is_renewed(simple_salesforce: Told) -> None:
    """The client understands the refusal of a revoked session and logs in anew."""
    assert simple_salesforce["logs_in_again_when_the_session_is_dead"] == {
        "rows": 1,
        "same_session": False,
    }


def test_query_pages(simple_salesforce: Told) -> None:
    """250 rows come as a page of 200 and one of 50, and the client's own iterator sees each once."""
    assert simple_salesforce["pages_through_rows"] == {
        "total": 250,
        "pages": [200, 50],
        "done": [False, True],
        "ends": ["Many 0000", "Many 0249"],
        "distinct": 250,
    }


async def test_a_row_from_birth_to_death(simple_salesforce: Told, salesforce: Account) -> None:
    """A row is created, changed, read and deleted; then it is not found, by the vendor's own code."""
    assert simple_salesforce["creates_reads_updates_deletes"] == {
        "made": True,
        "updated": 204,
        "read": {"Name": "Hooli", "BillingCity": "Palo Alto"},
        "deleted": 204,
        "gone": [404, "NOT_FOUND"],
    }
    accounts = await salesforce.records("Account")
    assert [row["IsDeleted"] for row in accounts if row["Name"] == "Hooli"] == [True]


def test_upsert_by_external_id(simple_salesforce: Told) -> None:
    """The first upsert creates (201), the second updates (200), and the row is found under its key."""
    assert simple_salesforce["upserts_by_external_id"] == {"statuses": [201, 200], "name": "Second"}


def test_a_refusal_is_read(simple_salesforce: Told) -> None:
    """A missing required field is the client's own exception, with the vendor's code and the field."""
    told = simple_salesforce["is_refused_with_the_vendors_words"]
    assert (told["status"], told["errorCode"], told["fields"]) == (400, "REQUIRED_FIELD_MISSING", ["Name"])


def test_describe(simple_salesforce: Told) -> None:
    """The client learns objects, custom fields, picklists and external ids from the describe calls."""
    assert simple_salesforce["describes"] == {
        "objects": ["Account", "Contact", "Opportunity"],
        "external_id": True,
        "pricing": ["Fixed price", "Time & materials", "Retainer"],
        "metadata": "Opportunity",
    }


def test_limits(simple_salesforce: Told) -> None:
    """The allowance that the client reads from the limits and from the header of each answer is one."""
    told = simple_salesforce["knows_its_limits"]
    used, total = told["header"]
    assert (total, total - used) == (told["allowed"], told["left"])


def test_composite(simple_salesforce: Told) -> None:
    """In one composite call the second part uses the id that the first has made."""
    assert simple_salesforce["bundles_calls"] == {"statuses": [201, 201], "parent": "Bundled"}


def test_bulk(simple_salesforce: Told) -> None:
    """A bulk job takes the good rows, tells which failed and why, and a bulk query reads them back."""
    told = simple_salesforce["loads_in_bulk"]
    assert "REQUIRED_FIELD_MISSING" in told.pop("failure")
    assert told == {"processed": 3, "failed": 1, "read": ["Name", "In bulk 1", "In bulk 2"]}
