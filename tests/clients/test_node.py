"""tests/clients: clients of Node, unmodified, take the stand-ins for Salesforce and NetSuite."""

import json

import pytest

from tests.clients.conftest import NODE, Told
from tests.support.sandboxes import Account

salesforce_group = pytest.mark.xdist_group("clients-salesforce")
netsuite_group = pytest.mark.xdist_group("clients-netsuite")


def test_the_locked_packages_name_no_registry() -> None:
    """The lock says by hashes what is meant, wherever it comes from."""
    lock = json.loads((NODE / "package-lock.json").read_text())
    packages = [package for name, package in lock["packages"].items() if name]
    assert packages
    assert [package for package in packages if "resolved" in package or not package.get("integrity")] == []


@salesforce_group
def test_jsforce_logs_in(jsforce: Told, salesforce: Account) -> None:
    """By client credentials at the own host, by a JWT at the login host, and once its session is dead."""
    username = salesforce.env["SALESFORCE_USERNAME"]
    assert jsforce["logs_in_by_client_credentials"] == {"instance": True, "username": username}
    assert jsforce["logs_in_by_jwt"] is True
    assert jsforce["renews_a_dead_session"] == {"rows": 1, "same": False}


@salesforce_group
async def test_jsforce_keeps_records(jsforce: Told, salesforce: Account) -> None:
    """A record from birth to death, an upsert by external id, and 250 records in collections."""
    assert jsforce["creates_reads_updates_deletes"] == {
        "made": True,
        "read": ["Pied Piper", "Palo Alto"],
        "gone": "NOT_FOUND",
    }
    assert jsforce["upserts_by_external_id"] == {"created": [True, False], "name": "Second"}
    names = [row["Name"] for row in await salesforce.records("Account")]
    assert names.count("Second") == 1


@salesforce_group
def test_jsforce_reads_pages_and_children(jsforce: Told) -> None:
    """Each of 250 rows comes once, in pages of the wanted size; children come with their parent."""
    assert jsforce["creates_many_and_pages_through_them"] == {
        "made": 250,
        "pages": [200, 50],
        "done": [False, True],
        "distinct": 250,
    }
    assert jsforce["reads_children_with_their_parent"] == ["Parent", "Child 1", "Child 2"]


@salesforce_group
def test_jsforce_describes_and_loads(jsforce: Told) -> None:
    """Metadata, a bulk job that inserts, and one that queries."""
    assert jsforce["describes"] == {"type": "picklist", "won": True, "listed": True}
    assert jsforce["loads_in_bulk"] == {"loaded": 3, "failed": 0, "names": ["Bulk 1", "Bulk 2", "Bulk 3"]}


@salesforce_group
def test_jsforce_is_refused(jsforce: Told) -> None:
    """Faults reach the client with the vendor's own codes."""
    assert jsforce["is_refused_in_the_vendors_words"] == {
        "field": "INVALID_FIELD",
        "required": "REQUIRED_FIELD_MISSING",
    }


@salesforce_group
def test_changes_reach_the_pubsub_client(pubsub: Told) -> None:
    """Over TLS (its trust is its own), with events that it decodes; a replay id of 8 bytes goes on."""
    won = {"type": "UPDATE", "changed": ["StageName"], "stage": "Closed Won", "one": 1}
    made = {"type": "CREATE", "changed": [], "stage": "Prospecting", "one": 1}
    assert pubsub["is_told_of_changes"] == [made, won]
    assert pubsub["goes_on_behind_a_replay_id"] == [won]
    assert len(pubsub["reads_all_that_is_retained"]) == 2


@netsuite_group
async def test_netsuite_rest_keeps_a_customer(netsuite_of_node: Told, netsuite: Account) -> None:
    """PUT by external id creates, PATCH changes, DELETE ends, and then the record is not there."""
    assert netsuite_of_node["keeps_a_customer"] == {
        "made": 204,
        "read": ["Globex Corporation", "pay@globex.example"],
        "removed": 204,
        "gone": [404, "NONEXISTENT_ID"],
    }
    assert [row["companyName"] for row in await netsuite.records("customer")].count("Node 3") == 1


@netsuite_group
def test_netsuite_rest_pages_and_is_refused(netsuite_of_node: Told) -> None:
    """SuiteQL in pages; an unknown field, a text that is too long and a bad query by the vendor's codes."""
    assert netsuite_of_node["asks_by_suiteql"] == {
        "names": ["Node 1", "Node 2", "Node 3"],
        "more": [True, False],
    }
    assert netsuite_of_node["is_refused_in_the_vendors_words"] == {
        "unknown": [400, "USER_ERROR"],
        "long": [400, "USER_ERROR"],
        "sql": [400, "INVALID_PARAMETER"],
    }
