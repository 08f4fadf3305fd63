"""The org at the Salesforce stand-in: versions, describes, limits, deltas, metadata, people's edits."""

import asyncio
from decimal import Decimal

import pytest

from tests.support.sandboxes import SandboxRefused

from .conftest import Api


def field_of(described, name):
    return next((f for f in described["fields"] if f["name"] == name), None)


async def test_versions_need_no_login(client):
    """The list of versions is open to all, ascending, with the vendor's season names."""
    rows = (await client.get("/services/data/")).json()
    assert rows[-2] == {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}
    assert [r["version"] for r in rows][-1] == "67.0"


async def test_unknown_and_retired_versions(api):
    """An old version is gone, one to come is not found; the older ones that clients pin still answer."""
    assert (await api.send("GET", "/services/data/v20.0/limits")).status_code == 410
    assert (await api.send("GET", "/services/data/v99.0/limits")).status_code == 404
    assert "sobjects" in (await api.send("GET", "/services/data/v59.0/")).json()


async def test_describe_tells_types_and_rules(api):
    """Describe shows what a client needs to check its profile."""
    body = await api.get("/sobjects/Opportunity/describe/")
    line = field_of(body, "Service_Line__c")
    assert (line["type"], line["restrictedPicklist"], line["custom"]) == ("picklist", True, True)
    assert line["picklistValues"][0]["value"] == "Data & Analytics"
    key = field_of(body, "Enfilade_Id__c")
    assert (key["externalId"], key["unique"], key["length"]) == (True, True, 64)
    owner = field_of(body, "AccountId")
    assert (owner["referenceTo"], owner["relationshipName"]) == (["Account"], "Account")
    required = {
        f["name"]
        for f in body["fields"]
        if f["createable"] and not f["nillable"] and not f["defaultedOnCreate"]
    }
    assert required == {"Name", "StageName", "CloseDate"}
    listed = {o["name"] for o in (await api.get("/sobjects"))["sobjects"]}
    assert {"Account", "Opportunity", "OpportunityStage", "Organization"} <= listed
    [org] = await api.soql("SELECT IsSandbox, Name FROM Organization")
    assert (org["IsSandbox"], org["Name"]) == (True, "Northbeam Advisory")


async def test_a_required_field_added_by_an_administrator(account, api):
    """A new required field is described, and every later write without it is refused."""
    await account.change_schema(
        {"object": "Opportunity", "add_field": {"name": "Cost_Centre__c", "type": "string", "required": True}}
    )
    made = field_of(await api.get("/sobjects/Opportunity/describe"), "Cost_Centre__c")
    assert (made["nillable"], made["length"], made["label"]) == (False, 255, "Cost Centre")
    deal = {"Name": "D", "StageName": "Prospecting", "CloseDate": "2027-01-01"}
    assert (await api.refused("POST", "/sobjects/Opportunity", deal))[1:] == (
        "REQUIRED_FIELD_MISSING",
        "Required fields are missing: [Cost_Centre__c]",
    )
    await api.post("/sobjects/Opportunity", deal | {"Cost_Centre__c": "CC1"})
    [row] = await api.soql("SELECT Cost_Centre__c FROM Opportunity WHERE Name = 'D'")
    assert row["Cost_Centre__c"] == "CC1"
    old = (await api.soql("SELECT Id, Cost_Centre__c FROM Opportunity WHERE Name = 'Wayne discovery'"))[0]
    assert old["Cost_Centre__c"] is None
    refused = await api.refused("PATCH", f"/sobjects/Opportunity/{old['Id']}", {"NextStep": "call"})
    assert refused[1] == "REQUIRED_FIELD_MISSING"


async def test_fields_removed_retyped_and_hidden(account, api):
    """A field that is gone or not permitted is as if it did not exist; a retyped one is described anew."""
    await account.change_schema({"object": "Account", "remove_field": "Region__c"})
    await account.change_schema({"object": "Account", "permissions": {"hidden": ["Tax_Number__c"]}})
    await account.change_schema(
        {"object": "Opportunity", "retype": {"name": "Rate_Card__c", "type": "double"}}
    )
    described = await api.get("/sobjects/Account/describe")
    assert field_of(described, "Region__c") is field_of(described, "Tax_Number__c") is None
    retyped = field_of(await api.get("/sobjects/Opportunity/describe"), "Rate_Card__c")
    assert retyped["type"] == "double"
    assert (await api.refused("GET", "/query", params={"q": "SELECT Tax_Number__c FROM Account"}))[1] == (
        "INVALID_FIELD"
    )
    with pytest.raises(SandboxRefused, match="ends in __c"):
        await account.change_schema({"object": "Account", "add_field": {"name": "Plain", "type": "string"}})


async def test_the_firms_own_rules(account, api):
    """A validation rule refuses with the administrator's words."""
    rule = {
        "condition": "IsWon = true AND Service_Line__c = null",
        "message": "Choose a service line first.",
        "field": "Service_Line__c",
    }
    await account.change_schema({"object": "Opportunity", "validation_rule": rule})
    deal = (await api.soql("SELECT Id FROM Opportunity WHERE Name = 'Wayne discovery'"))[0]["Id"]
    refused = await api.refused("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "Closed Won"})
    assert refused == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Choose a service line first.")
    with pytest.raises(SandboxRefused, match="Choose a service line first"):
        await account.edit("Opportunity", deal, StageName="Closed Won")


async def test_the_daily_allowance(account, api):
    """Every reply tells the usage; at its end calls are refused, until the day has passed."""
    first = await api.send("GET", "/limits")
    assert first.headers["sforce-limit-info"] == "api-usage=1/15000"
    assert first.json()["DailyApiRequests"] == {"Max": 15000, "Remaining": 14999}
    await account.set_limits(daily_api_requests=3, session_seconds=10**6)
    assert (await api.send("GET", "/limits")).headers["sforce-limit-info"] == "api-usage=2/3"
    await api.get("/limits")
    assert await api.refused("GET", "/limits") == (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit exceeded.",
    )
    await account.advance_clock(25 * 3600)
    assert (await api.get("/limits"))["DailyApiRequests"]["Remaining"] == 2


async def test_too_many_calls_at_once(account, api):
    """With a concurrency limit set, one call too many is refused while another is under way."""
    await account.set_limits(concurrent_api_requests=1)
    hold = await account.hold("before", path="/limits/recordCount")
    waiting = asyncio.create_task(api.get("/limits/recordCount"))
    assert await hold.wait()
    status, code, message = await api.refused("GET", "/limits")
    assert (status, code) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert message.startswith("ConcurrentRequests")
    await hold.release()
    counts = {r["name"]: r["count"] for r in (await waiting)["sObjects"]}
    assert counts["Opportunity"] == 5


async def test_deltas(account, api):
    """Updated and deleted tell ids within a window, and refuse one too long ago."""
    record_id = (await api.post("/sobjects/Account", {"Name": "D"}))["id"]
    window = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
    await account.set_limits(session_seconds=10**9)
    await account.freeze_clock("2027-05-05T10:00:00Z")
    await api.send("PATCH", f"/sobjects/Account/{record_id}", {"Phone": "1"})
    window = {"start": "2027-05-05T09:00:00+00:00", "end": "2027-05-05T10:00:00+00:00"}
    assert (await api.get("/sobjects/Account/updated/", **window))["ids"] == [record_id]
    await api.send("DELETE", f"/sobjects/Account/{record_id}")
    gone = await api.get("/sobjects/Account/deleted/", **window)
    assert [r["id"] for r in gone["deletedRecords"]] == [record_id]
    old = {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}
    assert (await api.refused("GET", "/sobjects/Account/updated", params=old))[
        1
    ] == "INVALID_REPLICATION_DATE"


async def test_people_make_and_close_deals(account):
    """A person makes a deal with lines, choosing customer and product by name, and closes it."""
    entry = next(e for e in await account.records("PricebookEntry") if e["CurrencyIsoCode"] == "USD")
    made = await account.create(
        "Opportunity", Name="Second deal", Account="Globex Corporation", StageName="Negotiation/Review",
        CloseDate="2027-01-31", CurrencyIsoCode="USD",
        OpportunityLineItems=[{"PricebookEntryId": entry["Id"], "Quantity": 2, "UnitPrice": 100.5}],
    )  # fmt: skip
    assert made["Amount"] == Decimal("201.00")
    closed = await account.edit("Opportunity", made["Id"], StageName="Closed Won")
    assert (closed["IsWon"], closed["Probability"]) == (True, 100)
    assert (await account.record("Opportunity", made["Id"]))["StageName"] == "Closed Won"


async def test_raw_records_are_put_in(account, api):
    """Seeding takes fields that no client may write, and defaults the rest."""
    raw = {
        "Name": "Old",
        "StageName": "Closed Won",
        "CloseDate": "2025-01-01",
        "IsWon": True,
        "IsClosed": True,
    }
    ids = await account.seed({"Opportunity": [raw]})
    row = await api.get(f"/sobjects/Opportunity/{ids['Opportunity'][0]}")
    assert (row["IsWon"], row["Amount"]) == (True, None)


async def test_the_same_seed_gives_the_same_org(account):
    """A reset brings the first contents back, ids and all."""
    before = {r["Id"]: r["Name"] for r in await account.records("Opportunity")}
    await account.edit("Opportunity", next(iter(before)), Name="Changed")
    await account.reset()
    assert {r["Id"]: r["Name"] for r in await account.records("Opportunity")} == before


async def test_faults_speak_the_vendors_language(account, api):
    """An injected status has the vendor's body; after the effect, the effect stands."""
    await account.add_fault({"status": 500, "when": "after"}, method="POST", path="/sobjects/Account")
    status, code, _ = await api.refused("POST", "/sobjects/Account", {"Name": "Ghost"})
    assert (status, code) == (500, "UNKNOWN_EXCEPTION")
    assert len(await api.soql("SELECT Id FROM Account WHERE Name = 'Ghost'")) == 1
    await account.add_fault({"status": 503}, path="/query")
    assert (await api.refused("GET", "/query?q=x"))[1] == "SERVER_UNAVAILABLE"


async def test_an_empty_org_still_works(salesforce_sandbox, client, login):
    """An account made empty has people, stages and prices to stand on, and no business."""
    bare = await salesforce_sandbox.create_account(empty=True)
    api = Api(client, await login(bare))
    assert await api.soql("SELECT Id FROM Account") == []
    assert len(await api.soql("SELECT Id FROM OpportunityStage WHERE IsActive = true")) == 10
