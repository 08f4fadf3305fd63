"""Rows at the Salesforce stand-in: create, read, change, delete, upsert, and what the vendor refuses."""

import re
from decimal import Decimal

import pytest

OPP = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-03-31"}


async def made(api, name="Account", **fields):
    return (await api.post(f"/sobjects/{name}", {"Name": "Acme", **fields}))["id"]


async def test_create_read_change_delete(api):
    """A record lives through 201, 200, 204, 204, and is then not found."""
    answer = await api.send("POST", "/sobjects/Account/", {"Name": " Acme ", "AnnualRevenue": 139000000})
    record_id = answer.json()["id"]
    assert answer.status_code == 201
    assert answer.json() == {"id": record_id, "success": True, "errors": []}
    assert answer.headers["location"] == f"/services/data/v66.0/sobjects/Account/{record_id}"
    row = await api.get(f"/sobjects/Account/{record_id}")
    assert row["attributes"] == {"type": "Account", "url": answer.headers["location"]}
    assert (row["Name"], row["AnnualRevenue"], row["Website"]) == ("Acme", 139000000, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000", row["CreatedDate"])
    changed = await api.send(
        "PATCH", f"/sobjects/Account/{record_id[:15]}", {"Website": "https://acme.example"}
    )
    assert (changed.status_code, changed.content) == (204, b"")
    assert (await api.send("DELETE", f"/sobjects/Account/{record_id}")).status_code == 204
    assert (await api.refused("GET", f"/sobjects/Account/{record_id}"))[:2] == (404, "NOT_FOUND")
    assert (await api.refused("DELETE", f"/sobjects/Account/{record_id}"))[:2] == (404, "ENTITY_IS_DELETED")
    everything = await api.get("/queryAll", q=f"SELECT IsDeleted FROM Account WHERE Id='{record_id}'")  # noqa: S608 - SOQL
    assert everything["records"][0]["IsDeleted"] is True


async def test_ids_have_prefix_and_checksum(api):
    """An id is 18 characters: the object's prefix, and a checksum of its capitals."""
    record_id = await made(api)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    blocks = [record_id[i : i + 5] for i in (0, 5, 10)]
    expected = "".join(alphabet[sum(1 << i for i, c in enumerate(b) if c.isupper())] for b in blocks)
    assert record_id.startswith("001")
    assert record_id[15:] == expected


async def test_the_upsert_matrix(account, api):
    """An external id makes 201, then 200; an old version answers 204; a bad field 404; two owners 300."""
    path = "/sobjects/Account/Enfilade_Id__c/nb%2F1"
    first = await api.send("PATCH", path, {"Name": "A"})
    assert (first.status_code, first.json()["created"]) == (201, True)
    again = await api.send("PATCH", path, {"Name": "B"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["id"] == first.json()["id"]
    old = await api.send("PATCH", f"/services/data/v45.0{path}", {"Name": "C"})
    assert (old.status_code, old.content) == (204, b"")
    assert (await api.get(path))["Name"] == "C"
    assert await api.refused("PATCH", "/sobjects/Account/Namez/1", {"Name": "A"}) == (
        404,
        "NOT_FOUND",
        "Provided external ID field does not exist or is not accessible: Namez",
    )
    none = await api.refused("PATCH", "/sobjects/Account/Enfilade_Id__c/new?updateOnly=true", {"Name": "A"})
    assert none[0] == 404
    for name in ("One", "Two"):
        await api.post("/sobjects/Contact", {"LastName": name, "Email": "same@acme.example"})
    several = await api.send("PATCH", "/sobjects/Contact/Email/same@acme.example", {"LastName": "X"})
    assert several.status_code == 300
    assert [url.rsplit("/", 1)[0] for url in several.json()] == ["/services/data/v66.0/sobjects/Contact"] * 2


async def test_a_unique_key_is_held_by_one(api):
    """A second record with the key is DUPLICATE_VALUE and names the first by its 15-character id."""
    first = await made(api, Enfilade_Id__c="K1")
    status, code, message = await api.refused(
        "POST", "/sobjects/Account", {"Name": "B", "Enfilade_Id__c": "k1"}
    )
    assert (status, code) == (400, "DUPLICATE_VALUE")
    assert (
        message == f"duplicate value found: Enfilade_Id__c duplicates value on record with id: {first[:15]}"
    )


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"Name": None}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]"),
        ({"Nmae": "x"}, "INVALID_FIELD", "No such column 'Nmae' on sobject of type Opportunity"),
        ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: IsWon"),
        (
            {"Service_Line__c": "Plumbing"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            "Service Line: bad value for restricted picklist field: Plumbing",
        ),
        ({"Rate_Card__c": "x" * 41}, "STRING_TOO_LONG", "Rate Card: data value too large"),
        ({"AccountId": "001000000000000AAA"}, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
        ({"AccountId": "nonsense"}, "MALFORMED_ID", "Account ID: id value of incorrect type: nonsense"),
        ({"CloseDate": "soon"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of date"),
        ({"CloseDate": "20270131"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of date"),
        ({"CloseDate": "2027-01-31 or so"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of date"),
        ({"Amount": "much"}, "JSON_PARSER_ERROR", "Cannot deserialize instance of currency"),
        ({"Amount": 10**17}, "NUMBER_OUTSIDE_VALID_RANGE", "Amount: value outside of valid range"),
        ({"CurrencyIsoCode": "XXX"}, "INVALID_CURRENCY_ISO", "invalid currency iso code: XXX"),
    ],
)
async def test_refused_values(api, change, code, message):
    """Bad data is a 400 with the vendor's code and words, and nothing is stored."""
    before = await api.get("/query", q="SELECT COUNT() FROM Opportunity")
    status, found, said = await api.refused("POST", "/sobjects/Opportunity", OPP | change)
    assert (status, found) == (400, code)
    assert said.startswith(message)
    assert await api.get("/query", q="SELECT COUNT() FROM Opportunity") == before


async def test_bad_requests(api):
    """Bad JSON, a wrong media type, an unknown object and a wrong method each have their answer."""
    broken = await api.send(
        "POST", "/sobjects/Account", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert (broken.status_code, broken.json()[0]["errorCode"]) == (400, "JSON_PARSER_ERROR")
    form = await api.send("POST", "/sobjects/Account", data={"Name": "A"})
    assert form.status_code == 415
    assert await api.refused("GET", "/sobjects/Nothing/describe") == (
        404,
        "NOT_FOUND",
        "The requested resource does not exist",
    )
    assert (await api.refused("PUT", "/sobjects/Account", {}))[:2] == (405, "METHOD_NOT_ALLOWED")
    assert (await api.refused("PATCH", "/sobjects/Account/001000000000000AAA", {"Name": "A"}))[:2] == (
        404,
        "INVALID_CROSS_REFERENCE_KEY",
    )


async def test_the_stage_decides_what_is_derived(api):
    """Winning sets IsWon, IsClosed, Probability and ExpectedRevenue; an unknown stage is open."""
    deal = await made(api, "Opportunity", **OPP | {"Amount": 1000.10})
    row = await api.get(f"/sobjects/Opportunity/{deal}")
    assert (row["Probability"], row["ExpectedRevenue"], row["IsWon"]) == (10, Decimal("100.01"), False)
    await api.send("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "Closed Won"})
    row = await api.get(f"/sobjects/Opportunity/{deal}")
    assert (row["IsWon"], row["IsClosed"], row["Probability"]) == (True, True, 100)
    assert (row["ExpectedRevenue"], row["ForecastCategory"]) == (Decimal("1000.1"), "Closed")
    await api.send("PATCH", f"/sobjects/Opportunity/{deal}", {"StageName": "In Progress"})
    assert (await api.get(f"/sobjects/Opportunity/{deal}"))["IsClosed"] is False


async def test_lines_make_the_amount(api):
    """The amount is the sum of the lines, whatever is written into it; a line gone is subtracted."""
    deal = (await api.soql("SELECT Id, Amount FROM Opportunity WHERE Name = 'Globex data platform'"))[0]
    assert deal["Amount"] == Decimal(180000)
    path = f"/sobjects/Opportunity/{deal['Id']}"
    await api.send("PATCH", path, {"Amount": 5})
    assert (await api.get(path))["Amount"] == Decimal(180000)
    entry = (
        await api.soql("SELECT Id FROM PricebookEntry WHERE CurrencyIsoCode='USD' AND ProductCode='SVC-DATA'")
    )[0]
    line = {"OpportunityId": deal["Id"], "PricebookEntryId": entry["Id"], "Quantity": 3, "UnitPrice": 0.35}
    line_id = (await api.post("/sobjects/OpportunityLineItem", line))["id"]
    assert (await api.get(path))["Amount"] == Decimal("180001.05")
    await api.send("DELETE", f"/sobjects/OpportunityLineItem/{line_id}")
    assert (await api.get(path))["Amount"] == Decimal(180000)
    pounds = (await api.soql("SELECT Id FROM PricebookEntry WHERE CurrencyIsoCode='GBP'"))[0]
    wrong = line | {"PricebookEntryId": pounds["Id"]}
    assert (await api.refused("POST", "/sobjects/OpportunityLineItem", wrong))[
        1
    ] == "FIELD_INTEGRITY_EXCEPTION"


async def test_conditions_on_a_row(api, account):
    """If-Unmodified-Since guards every row with 412; entity tags exist for accounts only."""
    record_id = await made(api)
    path = f"/sobjects/Account/{record_id}"
    first = await api.send("GET", path)
    stamp, tag = first.headers["last-modified"], first.headers["etag"]
    assert (await api.send("GET", path, headers={"If-None-Match": tag})).status_code == 304
    assert (await api.send("GET", path, headers={"If-Modified-Since": stamp})).status_code == 304
    await account.advance_clock(5)
    ok = await api.send("PATCH", path, {"Phone": "1"}, headers={"If-Unmodified-Since": stamp})
    assert ok.status_code == 204
    late = await api.send("PATCH", path, {"Phone": "2"}, headers={"If-Unmodified-Since": stamp})
    assert (late.status_code, late.content) == (412, b"")
    assert (await api.send("PATCH", path, {"Phone": "3"}, headers={"If-Match": tag})).status_code == 412
    bad = await api.send("PATCH", path, {"Phone": "4"}, headers={"If-Unmodified-Since": "yesterday"})
    assert bad.status_code == 400
    deal = await made(api, "Opportunity", **OPP)
    assert "etag" not in (await api.send("GET", f"/sobjects/Opportunity/{deal}")).headers


async def test_parents_by_external_id(api):
    """A reference may be told by the parent's external id."""
    customer = await made(api, Enfilade_Id__c="P1")
    deal = await made(api, "Opportunity", **OPP, Account={"Enfilade_Id__c": "P1"})
    assert (await api.get(f"/sobjects/Opportunity/{deal}"))["AccountId"] == customer


async def test_time_stamps_never_go_back(account, api):
    """SystemModstamp never falls, even when the clock is set back."""
    await account.set_limits(session_seconds=10**9)
    await account.freeze_clock("2027-01-01T00:00:00Z")
    first = await made(api)
    await account.freeze_clock("2026-12-31T23:00:00Z")
    second = await made(api)
    rows = await api.soql(
        f"SELECT Id FROM Account WHERE Id IN ('{first}','{second}') ORDER BY SystemModstamp DESC"  # noqa: S608 - SOQL
    )
    stamps = [(await api.get(f"/sobjects/Account/{r['Id']}"))["SystemModstamp"] for r in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert stamps[0] == stamps[1] == "2027-01-01T00:00:00.000+0000"
