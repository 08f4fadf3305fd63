"""Lists, filters, SuiteQL, metadata and asynchronous jobs of the NetSuite stand-in."""
# ruff: noqa: S608 - the queries are the test's own

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.netsuite.conftest import ACME, order, refusal


async def customers(ns, count):
    rows = [
        {"companyName": f"Firm {i}", "subsidiary": {"id": "2"}, "id": str(1000 + i), "entityId": f"F{i}"}
        for i in range(count)
    ]
    await ns.control(
        "POST", "seed", {"records": {"customer": [{**r, "currency": {"id": "1"}} for r in rows]}}
    )


def rels(page):
    return {link["rel"]: link["href"] for link in page["links"]}


async def test_pages_have_ids_only_and_the_recorded_links(new_account):
    """A list has ids, lower-cased links, a wrong last page and `previous`, as recorded."""
    ns = await new_account(empty=True)
    await customers(ns, 58)
    first = await ns.read("customer", limit=5)
    assert (first["count"], first["hasMore"], first["totalResults"], first["offset"]) == (5, True, 58, 0)
    assert set(first["items"][0]) == {"links", "id"}
    assert set(rels(first)) == {"next", "last", "self"}
    assert "offset" not in rels(first)["self"]
    assert rels(first)["last"].endswith("offset=10")
    middle = await ns.read("customer", limit=5, offset=10)
    assert list(rels(middle)) == ["previous", "first", "next", "last", "self"]
    orders = await ns.read("salesOrder", limit=5)
    assert rels(orders)["self"].endswith("/salesOrder?limit=5")


async def test_total_is_capped(new_account):
    """No list admits to more than a thousand pages."""
    ns = await new_account(empty=True)
    await customers(ns, 1005)
    assert (await ns.read("customer", limit=1))["totalResults"] == 1000


@pytest.mark.parametrize("query", [{"limit": 1001}, {"limit": 5, "offset": 3}, {"limit": "x"}])
async def test_bad_pages(ns, query):
    """A limit over 1000 and an offset between pages are refused."""
    assert refusal(await ns.record("GET", "customer", **query))[:2] == (400, "INVALID_PARAMETER")


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ('companyName CONTAIN "inc"', ["Hooli Inc"]),
        ("companyName START_WITH Stark AND isInactive IS false", ["Stark Industries"]),
        ('companyName IS "nobody" OR vatRegNumber EMPTY_NOT AND email CONTAIN hooli', ["Hooli Inc"]),
        (
            '(companyName CONTAIN Hooli OR companyName CONTAIN Stark) AND companyName CONTAIN_NOT "Inc"',
            ["Stark Industries"],
        ),
        ("subsidiary ANY_OF [2, 4]", []),
        ('dateCreated ON_OR_AFTER "1/1/2020" AND companyName CONTAIN Hooli', ["Hooli Inc"]),
        ("creditLimit GREATER 5", []),
    ],
)
async def test_filters(ns, q, names):
    """The q filter finds by text, flag, number, date, list and emptiness, AND before OR."""
    found = await ns.read("customer", q=q)
    seen = [(await ns.read(f"customer/{item['id']}"))["companyName"] for item in found["items"]]
    assert seen == names


@pytest.mark.parametrize(
    "q", ['nothing IS "x"', "companyName GREATER 5", 'dateCreated AFTER "2026-01-01"', "(email EMPTY"]
)
async def test_bad_filters(ns, q):
    """An unknown field, an unfit operator, a date in another format and an open bracket are refused."""
    assert refusal(await ns.record("GET", "customer", q=q))[:2] == (400, "INVALID_PARAMETER")


async def test_suiteql_gives_strings_and_leaves_out_nulls(ns):
    """All values are strings, empty columns are absent, names lower-case."""
    rows = await ns.rows("SELECT id, companyName, vatregnumber VAT, isinactive FROM customer ORDER BY id")
    assert rows == [
        {"companyname": "Hooli Inc", "id": "101", "isinactive": "F", "vat": "98-7654321"},
        {"companyname": "Stark Industries", "id": "102", "isinactive": "F"},
    ]


async def test_suiteql_needs_its_header(ns):
    """Without Prefer: transient the query is refused."""
    answer = await ns.call("POST", "query/v1/suiteql", {"q": "SELECT id FROM customer"})
    assert refusal(answer)[0] == 400


async def test_suiteql_pages(ns):
    """limit and offset page a query's rows with a true total."""
    answer = (await ns.sql("SELECT id FROM currency ORDER BY id DESC", limit=3, offset=3)).json()
    assert [r["id"] for r in answer["items"]] == ["1"]
    assert (answer["hasMore"], answer["totalResults"], answer["offset"]) == (False, 4, 3)


async def test_suiteql_dates(ns, acme):
    """A bare date comes in the account's format; wrapped and compared ones are exact, in the user's zone."""
    await ns.record("PATCH", f"customer/{acme}", {"comments": "x"})
    seen = (await ns.read(f"customer/{acme}"))["lastModifiedDate"]
    wall = datetime.fromisoformat(seen).astimezone(ZoneInfo("America/Los_Angeles"))
    exact = wall.strftime("%Y-%m-%d %H:%M:%S")
    q = (
        "SELECT TO_CHAR(c.lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS at, "
        "c.lastmodifieddate day FROM customer c "
        f"WHERE c.lastmodifieddate >= TO_TIMESTAMP('{exact}', 'YYYY-MM-DD HH24:MI:SS') AND id = {acme}"
    )
    year, month, day = wall.year, wall.month, wall.day
    assert await ns.rows(q) == [{"at": exact, "day": f"{month}/{day}/{year}"}]


async def test_suiteql_joins_transactions_and_lines(ns, acme):
    """Orders, lines and customers join; revenue lines are negative; BUILTIN.DF shows texts."""
    made = await ns.make("salesOrder", order(acme, (10, 150), (1, 99.5), externalId="SO-1", memo="phase"))
    q = (
        "SELECT t.tranid, BUILTIN.DF(t.status) status, BUILTIN.DF(t.entity) AS customer, t.foreigntotal, "
        "tl.foreignamount amount, BUILTIN.DF(tl.item) item FROM transaction t "
        "JOIN transactionline tl ON tl.transaction = t.id INNER JOIN customer c ON c.id = t.entity "
        "WHERE t.type = 'SalesOrd' AND tl.mainline = 'F' AND tl.taxline = 'F' AND c.externalid = ? "
        "ORDER BY tl.id"
    )
    rows = await ns.rows(q, ["CRM-001"])
    assert [r["amount"] for r in rows] == ["-1500", "-99.5"]
    assert rows[0] | {"amount": ""} == {
        "amount": "",
        "customer": "CUST00003 Acme Advisory LLP",
        "foreigntotal": "1599.5",
        "item": "Data & Analytics services",
        "status": "Pending Billing",
        "tranid": "SO0001",
    }
    assert await ns.rows(f"SELECT recordtype FROM transaction WHERE id = '{made}'") == [
        {"recordtype": "salesorder"}
    ]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("UPPER(companyname) LIKE '%INC'", 1),
        ("companyname IN ('Hooli Inc', 'Stark Industries') AND NOT vatregnumber IS NULL", 1),
        ("vatregnumber IS NULL OR LOWER(email) = 'ap@hooli.example'", 2),
        ("id BETWEEN 101 AND 101", 1),
        ("NVL(vatregnumber, 'none') = 'none'", 1),
        ("vatregnumber <> 'x'", 1),
        ("datecreated > TRUNC(SYSDATE) - 1 AND datecreated < TO_DATE('2999-01-01', 'YYYY-MM-DD')", 2),
        ("id > 101 AND id NOT IN (103)", 1),
        ("CASE WHEN subsidiary = 3 THEN 'us' ELSE 'other' END = 'us'", 2),
        ("companyname || '!' = 'Hooli Inc!'", 1),
    ],
)
async def test_suiteql_conditions(ns, where, count):
    """Conditions follow Oracle, where nothing equals NULL."""
    assert await ns.rows(f"SELECT COUNT(*) AS n FROM customer WHERE {where}") == [{"n": str(count)}]


async def test_suiteql_groups_orders_and_fetches(ns):
    """Groups, aliases in ORDER BY, DISTINCT and FETCH FIRST work."""
    q = "SELECT country, COUNT(*) n FROM subsidiary GROUP BY country HAVING COUNT(*) > 0 ORDER BY n DESC, 1"
    assert await ns.rows(q) == [
        {"country": "GB", "n": "2"},
        {"country": "DE", "n": "1"},
        {"country": "US", "n": "1"},
    ]
    assert await ns.rows("SELECT DISTINCT subsidiary FROM customer") == [{"subsidiary": "3"}]
    assert await ns.rows("SELECT symbol FROM currency ORDER BY 1 FETCH FIRST 2 ROWS ONLY") == [
        {"symbol": "EUR"},
        {"symbol": "GBP"},
    ]
    left = (
        "SELECT s.id, c.id cid FROM subsidiary s LEFT JOIN customer c ON c.subsidiary = s.id "
        "WHERE s.id IN (2, 3) ORDER BY s.id, c.id"
    )
    assert await ns.rows(left) == [{"id": "2"}, {"cid": "101", "id": "3"}, {"cid": "102", "id": "3"}]


@pytest.mark.parametrize(
    ("q", "ids"),
    [
        ("SELECT id FROM currency WHERE ROWNUM <= 2", ["1", "2"]),
        ("SELECT id FROM currency WHERE id > 1 AND rownum < 3", ["2", "3"]),
        ("SELECT id FROM currency WHERE ROWNUM = 1", ["1"]),
        ("SELECT id FROM currency WHERE ROWNUM = 2", []),
        ("SELECT id FROM currency WHERE ROWNUM > 1", []),
        ("SELECT id FROM currency WHERE ROWNUM BETWEEN 1 AND 3", ["1", "2", "3"]),
        ("SELECT id FROM currency WHERE ROWNUM <= 2 ORDER BY id DESC", ["2", "1"]),
        ("SELECT c.id FROM currency c JOIN subsidiary s ON s.currency = c.id WHERE ROWNUM <= 2", ["1", "1"]),
    ],
)
async def test_suiteql_rownum(ns, q, ids):
    """ROWNUM counts the rows that the conditions took, before they are sorted, as Oracle's does."""
    assert [row["id"] for row in await ns.rows(q)] == ids


async def test_suiteql_writes_fractions_of_a_second(ns):
    """`FF3` is one part of a format, and a text in quotes stands as it is."""
    q = "SELECT TO_CHAR(SYSDATE, 'YYYY\"T\"FF3') AS t FROM currency WHERE id = 1"
    (row,) = await ns.rows(q)
    assert re.fullmatch(r"\d{4}T\d+", row["t"])
    moment = "TO_TIMESTAMP('2020-05-17 10:00:00.250', 'YYYY-MM-DD HH24:MI:SS.FF3')"
    assert await ns.rows(f"SELECT id FROM currency WHERE id = 1 AND {moment} < SYSDATE") == [{"id": "1"}]


async def test_suiteql_shows_rownum(ns):
    """A row's number may be selected, and is a string as everything is."""
    q = "SELECT ROWNUM AS n, id FROM currency WHERE id > 2 ORDER BY id DESC"
    assert await ns.rows(q) == [{"id": "4", "n": "2"}, {"id": "3", "n": "1"}]


async def test_suiteql_truncates_to_months_and_years(ns):
    """TRUNC of a date gives the first of its month or year."""
    q = (
        "SELECT TO_CHAR(TRUNC(TO_DATE('2026-05-17', 'YYYY-MM-DD'), 'MM'), 'YYYY-MM-DD') AS m, "
        "TO_CHAR(TRUNC(TO_DATE('2026-05-17', 'YYYY-MM-DD'), 'YYYY'), 'YYYY-MM-DD') AS y "
        "FROM currency WHERE id = 1"
    )
    assert await ns.rows(q) == [{"m": "2026-05-01", "y": "2026-01-01"}]


@pytest.mark.parametrize(
    ("q", "words"),
    [
        ("SELECT country, name FROM subsidiary GROUP BY country", "not a GROUP BY expression"),
        ("SELECT id, COUNT(*) FROM subsidiary", "not a GROUP BY expression"),
        ("SELECT country FROM subsidiary GROUP BY country HAVING id > 1", "not a GROUP BY expression"),
        ("SELECT id FROM customer ORDER BY 7", "not selected"),
        ("SELECT id FROM customer ORDER BY id NULLS maybe", "'FIRST' or 'LAST'"),
        ("SELECT id FROM customer OFFSET x ROWS", "a whole number"),
        ("SELECT id FROM customer FETCH FIRST 1.5 ROWS ONLY", "a whole number"),
        ("SELECT UPPER() FROM customer", "UPPER does not take 0 arguments"),
        ("SELECT SUM(*) FROM customer", "'*' in SUM"),
        ("SELECT COUNT() FROM customer", "COUNT takes one argument"),
        ("SELECT UPPER(DISTINCT id) FROM customer", "DISTINCT outside of an aggregate"),
        ("SELECT BUILTIN.DF() FROM customer", "BUILTIN.DF takes one argument"),
        ("SELECT TO_CHAR(datecreated, 'IW') FROM customer", "date format 'IW'"),
        ("SELECT TO_CHAR(id, '999') FROM customer", "number's format"),
        ("SELECT TRUNC(datecreated, 'Q') FROM customer", "TRUNC to 'Q'"),
        ("SELECT c.id FROM currency c JOIN subsidiary s ON ROWNUM = 1", "ROWNUM in a join"),
        ("SELECT id FROM customer WHERE id IN (SELECT id FROM job)", "select"),
        ("WITH x AS (SELECT id FROM job) SELECT id FROM x", "SELECT"),
        ("SELECT id FROM customer UNION SELECT id FROM job", "union"),
        ("SELECT TOP 5 id FROM customer", "FROM"),
        ("SELECT nothing FROM customer", "Field 'nothing' for record 'customer' was not found."),
        ("SELECT id FROM nowhere", "Record 'nowhere' was not found."),
        ("SELECT id FROM customer LIMIT 5", "LIMIT".lower()),
        ("SELECT c.id FROM customer x", "Unknown identifier 'c'"),
        ("SELECT FOO(id) FROM customer", "Unknown function 'FOO'"),
        ("SELECT id FROM customer WHERE", "end of query"),
        ("SELEC id", "SELECT"),
    ],
)
async def test_suiteql_refusals(ns, q, words):
    """What the dialect lacks or does not know is refused with the vendor's sentences."""
    status, code, detail = refusal(await ns.sql(q))
    assert (status, code, words in detail) == (400, "INVALID_PARAMETER", True), detail


async def test_deleted_records_are_listed(ns, acme):
    """A deleted record shows in deletedrecord."""
    await ns.record("DELETE", f"customer/{acme}")
    assert await ns.rows("SELECT recordtype, recordid FROM deletedrecord") == [
        {"recordid": acme, "recordtype": "customer"}
    ]


async def test_metadata_has_the_accounts_own_fields(ns):
    """The catalogue lists types, and schemas have custom fields of this account."""
    field = {"name": "custentity_risk", "type": "boolean", "label": "Risky"}
    await ns.control("POST", "schema", {"object": "customer", "add_field": field})
    listed = await ns.read("metadata-catalog")
    assert "salesOrder" in [item["name"] for item in listed["items"]]
    openapi = (
        await ns.record(
            "GET",
            "metadata-catalog",
            None,
            {"Accept": "application/swagger+json"},
            select="customer,salesOrder",
        )
    ).json()
    assert set(openapi["components"]["schemas"]) == {"customer", "salesOrder"}
    risk = openapi["components"]["schemas"]["customer"]["properties"]["custentity_risk"]
    assert (risk["type"], risk["x-ns-custom-field"], risk["title"]) == ("boolean", True, "Risky")
    schema = (
        await ns.record("GET", "metadata-catalog/customer", None, {"Accept": "application/schema+json"})
    ).json()
    assert schema["properties"]["lastModifiedDate"]["format"] == "date-time"
    spaced = await ns.record("GET", "metadata-catalog", select="customer, salesOrder")
    assert refusal(spaced)[:2] == (400, "INVALID_REQUEST")


async def test_asynchronous_create(ns):
    """An asynchronous call answers with a job, pending first, then done; its key is good once."""
    prefer = {"Prefer": "respond-async", "X-NetSuite-Idempotency-Key": "k-1"}
    started = await ns.record("POST", "customer", ACME, prefer)
    assert (started.status_code, started.headers["preference-applied"]) == (202, "respond-async")
    job = started.headers["location"].split("/services/rest/")[1]
    looks = [(await ns.call("GET", job)).json() for _ in range(2)]
    assert [(look["completed"], look["progress"]) for look in looks] == [
        (False, "pending"),
        (True, "succeeded"),
    ]
    task = (await ns.call("GET", f"{job}/task/1")).json()
    result = await ns.call("GET", f"{job}/task/1/result")
    assert (task["progress"], result.status_code) == ("succeeded", 204)
    assert (await ns.read("customer/eid:CRM-001"))["id"] == result.headers["location"].rsplit("/", 1)[1]
    again = await ns.record("POST", "customer", ACME, prefer)
    assert refusal(again)[:2] == (400, "IDEMPOTENCY_ERROR")
    assert (again.json()["title"], again.headers["location"]) == ("Conflict", started.headers["location"])


async def test_collection_with_partial_failure(ns):
    """A collection is one task per record, and one bad record fails alone."""
    media = "application/vnd.oracle.resource+json; type=collection"
    items = {"items": [{**ACME, "externalId": "A-1"}, {"companyName": "No company"}]}
    started = await ns.record("PUT", "customer", items, {"Prefer": "respond-async", "Content-Type": media})
    job = started.headers["location"].split("/services/rest/")[1]
    results = [(await ns.call("GET", f"{job}/task/{n}/result")).status_code for n in (1, 2)]
    assert results == [204, 400]
