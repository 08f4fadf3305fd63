"""Queries at the Salesforce stand-in: the part of SOQL that clients use, its pages, and its complaints."""

from decimal import Decimal

import pytest


async def names(api, condition):
    return [r["Name"] for r in await api.soql(f"SELECT Name FROM Opportunity {condition}")]  # noqa: S608 - SOQL


GLOBEX, INITECH, UMBRELLA = "Globex data platform", "Initech cloud migration", "Umbrella managed services"
HOOLI, WAYNE = "Hooli managed services", "Wayne discovery"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("WHERE Name = 'globex DATA platform'", [GLOBEX]),
        ("WHERE Name LIKE '%managed%' ORDER BY Amount", [HOOLI, UMBRELLA]),
        ("WHERE Amount > 90000 AND CurrencyIsoCode = 'GBP'", [INITECH]),
        ("WHERE Amount >= 96000 ORDER BY Amount DESC", [GLOBEX, INITECH]),
        ("WHERE Service_Line__c = null", [WAYNE]),
        ("WHERE (Amount = 45000 OR Amount = 48000) AND NOT StageName = 'Negotiation/Review'", [WAYNE]),
        ("WHERE CurrencyIsoCode NOT IN ('USD','EUR')", [INITECH]),
        ("WHERE Account.Name IN ('Initech Ltd', 'Umbrella GmbH') ORDER BY Name", [INITECH, UMBRELLA]),
        ("WHERE Expected_Start__c > 2027-01-31", [INITECH]),
        ("WHERE CreatedDate = TODAY AND Service_Line__c = 'Cloud Migration'", [INITECH]),
        ("WHERE CreatedDate < LAST_N_DAYS:3", []),
        ("WHERE SystemModstamp >= 2020-01-01T00:00:00Z ORDER BY Name LIMIT 2 OFFSET 1", [HOOLI, INITECH]),
        (
            "WHERE IsWon = false AND Rate_Card__c != 'RC-US-2026' ORDER BY Name DESC",
            [WAYNE, UMBRELLA, INITECH],
        ),
        ("WHERE AccountId IN (SELECT Id FROM Account WHERE Region__c = 'DACH')", [UMBRELLA]),
        (
            "ORDER BY Service_Line__c ASC NULLS LAST, Name DESC",
            [INITECH, GLOBEX, UMBRELLA, HOOLI, WAYNE],
        ),
    ],
)
async def test_conditions_and_order(api, condition, expected):
    """Conditions, order and limits select what the vendor would."""
    assert await names(api, condition) == expected


async def test_parents_and_children_in_rows(api):
    """A parent is a nested object, children a result of their own, and none of them null."""
    [row] = await api.soql(
        "SELECT Name, Account.Name, Account.Owner.Name, (SELECT Quantity, PricebookEntry.Product2.Name"  # noqa: S608 - SOQL
        f" FROM OpportunityLineItems ORDER BY Quantity DESC) FROM Opportunity WHERE Name = '{GLOBEX}'"
    )
    assert row["Account"]["attributes"]["type"] == "Account"
    assert row["Account"]["Name"] == "Globex Corporation"
    assert row["Account"]["Owner"]["Name"] == "Sofia Marsh"
    lines = row["OpportunityLineItems"]
    assert (lines["totalSize"], lines["done"]) == (2, True)
    assert [line["Quantity"] for line in lines["records"]] == [Decimal(100), Decimal(20)]
    assert lines["records"][0]["PricebookEntry"]["Product2"]["Name"] == "Data & Analytics services"
    [bare] = await api.soql(
        f"SELECT Id, Contract.Id, (SELECT Id FROM OpportunityLineItems) FROM Opportunity WHERE Name='{WAYNE}'"  # noqa: S608 - SOQL
    )
    assert (bare["OpportunityLineItems"], bare["Contract"]) == (None, None)


async def test_counts_and_sums(api):
    """COUNT() tells by totalSize alone; aggregates come as AggregateResult with expr0 or an alias."""
    count = await api.get("/query", q="SELECT COUNT() FROM Opportunity WHERE IsClosed = false")
    assert count == {"totalSize": 5, "done": True, "records": []}
    rows = await api.soql(
        "SELECT CurrencyIsoCode, COUNT(Id), SUM(Amount) total FROM Opportunity GROUP BY CurrencyIsoCode"
    )
    by_currency = {r["CurrencyIsoCode"]: (r["expr0"], r["total"]) for r in rows}
    assert by_currency["USD"] == (3, Decimal(273000))
    ordered = await api.soql(
        "SELECT CurrencyIsoCode, SUM(Amount) total FROM Opportunity GROUP BY CurrencyIsoCode"
        " ORDER BY SUM(Amount) DESC LIMIT 2"
    )
    assert [r["CurrencyIsoCode"] for r in ordered] == ["USD", "GBP"]
    assert rows[0]["attributes"] == {"type": "AggregateResult"}


async def test_pages_are_followed_by_locator(account, api):
    """A long answer comes in pages by a locator with the next offset; an eleventh cursor drops the first."""
    await account.set_limits(page_size=2)
    query = "SELECT Name FROM Opportunity ORDER BY Name"
    first = await api.get("/query/", q=query)
    assert (first["totalSize"], first["done"], len(first["records"])) == (5, False, 2)
    assert first["nextRecordsUrl"].startswith("/services/data/v66.0/query/0r8xx")
    assert first["nextRecordsUrl"].endswith("-2")
    second = await api.get(first["nextRecordsUrl"])
    last = await api.get(second["nextRecordsUrl"])
    assert (last["done"], "nextRecordsUrl" in last, len(last["records"])) == (True, False, 1)
    for _ in range(10):
        await api.get("/query", q=query)
    assert (await api.refused("GET", first["nextRecordsUrl"]))[1] == "INVALID_QUERY_LOCATOR"


async def test_long_lists_of_children_have_pages_of_their_own(account, api):
    """Children are paged by their size through to the end, and all stand for one open query."""
    await account.set_limits(child_page_size=1)
    query = "SELECT Name, (SELECT Id FROM OpportunityLineItems) FROM Opportunity ORDER BY Name"
    rows = await api.soql(query)
    lines = next(r["OpportunityLineItems"] for r in rows if r["Name"] == GLOBEX)
    assert (lines["totalSize"], lines["done"], len(lines["records"])) == (2, False, 1)
    for _ in range(9):
        await api.soql(query)
    second = await api.get(lines["nextRecordsUrl"])
    assert (second["totalSize"], second["done"], len(second["records"])) == (2, True, 1)
    assert second["records"][0]["Id"] != lines["records"][0]["Id"]
    await api.soql(query)
    assert (await api.refused("GET", lines["nextRecordsUrl"]))[1] == "INVALID_QUERY_LOCATOR"


async def test_children_count_towards_a_page(account, api):
    """A page holds fewer parents where their children fill it; all come in the end."""
    await account.set_limits(page_size=4)
    page = await api.get(
        "/query", q="SELECT Name, (SELECT Id FROM OpportunityLineItems) FROM Opportunity ORDER BY Name"
    )
    seen = [page["records"]]
    while not page["done"]:
        page = await api.get(page["nextRecordsUrl"])
        seen.append(page["records"])
    assert len([row for rows in seen for row in rows]) == page["totalSize"] == 5
    counts = [
        sum(1 + (row["OpportunityLineItems"] or {}).get("totalSize", 0) for row in rows) for rows in seen
    ]
    assert max(counts) <= 4 < sum(counts)


async def test_labels_and_converted_money(api):
    """toLabel() and convertCurrency() keep the field's name or take the alias; money is in the user's."""
    [row] = await api.soql(
        "SELECT Amount, convertCurrency(Amount) own, toLabel(StageName), toLabel(Account.Industry) branch"  # noqa: S608 - SOQL
        f" FROM Opportunity WHERE Name = '{GLOBEX}' AND toLabel(StageName) != 'x'"
    )
    assert set(row) == {"attributes", "Amount", "own", "StageName", "branch"}
    [dollar] = await api.soql("SELECT ConversionRate FROM CurrencyType WHERE IsoCode = 'USD'")
    assert row["own"] == round(row["Amount"] / dollar["ConversionRate"], 2) != row["Amount"]


BAD_QUERIES = [
    ("SELECT Foo FROM Account", "INVALID_FIELD", "No such column 'Foo' on entity 'Account'"),
    ("SELECT Id FROM Xyzzy", "INVALID_TYPE", "sObject type 'Xyzzy' is not supported"),
    ("SELECT Id Account", "MALFORMED_QUERY", "unexpected end of query"),
    ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", "unexpected end of query"),
    (
        "SELECT Id FROM Account WHERE Foo.Name = 'x'",
        "INVALID_FIELD",
        "Didn't understand relationship 'Foo'",
    ),
    ("SELECT Id FROM Opportunity WHERE CloseDate = 'x'", "INVALID_FIELD", "must be of type date"),
    (
        "SELECT Id FROM Account WHERE Name='a' AND Name='b' OR Name='c'",
        "MALFORMED_QUERY",
        "unexpected token: 'OR'",
    ),
    (
        "SELECT Name FROM Account GROUP BY Name HAVING COUNT(Id) > 1",
        "MALFORMED_QUERY",
        "HAVING is not imitated",
    ),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", "LIMIT of at most 200"),
    ("SELECT FIELDS(SOME) FROM Account LIMIT 1", "MALFORMED_QUERY", "unexpected token: 'SOME'"),
    ("SELECT Id FROM Account LIMIT 1.5", "MALFORMED_QUERY", "unexpected token: '1.5'"),
    ("SELECT Name n FROM Account", "MALFORMED_QUERY", "only aggregate expressions use field aliasing"),
    ("SELECT Id, Name, id FROM Account", "MALFORMED_QUERY", "duplicate field selected: Id"),
    ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "must be grouped or aggregated: Name"),
    ("SELECT Id FROM Opportunity WHERE SUM(Amount) > 1", "MALFORMED_QUERY", "unexpected token: 'SUM'"),
    ("SELECT Id FROM Opportunity ORDER BY SUM(Amount)", "MALFORMED_QUERY", "unexpected token: 'SUM'"),
    (
        "SELECT SUM(convertCurrency(Amount)) FROM Opportunity",
        "MALFORMED_QUERY",
        "A function within SUM()",
    ),
    ("SELECT toLabel(Name) FROM Account", "MALFORMED_QUERY", "toLabel() is of picklists"),
    ("SELECT convertCurrency(Name) FROM Account", "MALFORMED_QUERY", "is of currency fields, not Name"),
    (
        "SELECT (SELECT COUNT(Id) FROM OpportunityLineItems) FROM Opportunity",
        "MALFORMED_QUERY",
        "only root queries support aggregate expressions",
    ),
    ("SELECT Id FROM Account WHERE Id = 'x'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: x"),
    (
        "SELECT Id FROM Account WHERE Id LIKE '0%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "operator on id field",
    ),
    (
        "SELECT Id FROM Account WHERE Name INCLUDES ('a')",
        "INVALID_QUERY_FILTER_OPERATOR",
        "only valid on multipicklist",
    ),
    (
        "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Name FROM Account)",
        "MALFORMED_QUERY",
        "can only query id fields, cannot use: 'Name'",
    ),
    (
        "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Id, Name FROM Account)",
        "MALFORMED_QUERY",
        "Only one field is allowed",
    ),
]


async def test_bad_queries(api):
    """A bad query is a 400 that points at the place."""
    answers = [(await api.refused("GET", "/query", params={"q": query})) for query, _, _ in BAD_QUERIES]
    wrong = [
        (query, answer)
        for (query, code, words), answer in zip(BAD_QUERIES, answers, strict=True)
        if answer[:2] != (400, code) or words not in answer[2]
    ]
    assert wrong == []


async def test_quotes_are_escaped(api):
    """A string with quotes and backslashes is found by its escaped form."""
    await api.post("/sobjects/Account", {"Name": r"O'Neill \ Sons"})
    [row] = await api.soql(r"SELECT Name FROM Account WHERE Name = 'O\'Neill \\ Sons'")
    assert row["Name"] == r"O'Neill \ Sons"


async def test_all_fields_of_a_record(api):
    """FIELDS(ALL) gives every field, addresses as one object besides their parts."""
    [row] = await api.soql("SELECT FIELDS(ALL) FROM Account WHERE Name = 'Globex Corporation' LIMIT 1")
    assert (row["Tax_Number__c"], row["Credit_Limit__c"]) == ("12-3456789", Decimal(250000))
    assert row["BillingAddress"]["countryCode"] == row["BillingCountryCode"] == "US"
