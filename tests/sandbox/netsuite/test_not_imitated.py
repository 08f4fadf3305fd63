"""What the NetSuite stand-in lacks is refused, and its README says all of it."""

import re
from pathlib import Path

import pytest

from sandbox.netsuite.lengths import CUSTOM, LENGTHS, OF_RECORD
from sandbox.netsuite.not_imitated import LACKING, PARAMETERS
from sandbox.netsuite.schema import TYPES
from sandbox.netsuite.suiteql.functions import FUNCTIONS
from sandbox.netsuite.suiteql.run import AGGREGATES

README = Path(__file__).parents[3] / "sandbox" / "netsuite" / "README.md"
RECORD, SUITEQL = "services/rest/record/v1/", "services/rest/query/v1/suiteql"
CLAUSES = [
    "SELECT id FROM customer WHERE id IN (SELECT id FROM job)",
    "WITH x AS (SELECT id FROM job) SELECT id FROM x",
    "SELECT id FROM customer UNION SELECT id FROM job",
    "SELECT id FROM customer LIMIT 5",
    "SELECT TOP 5 id FROM customer",
    "SELECT c.id FROM customer c RIGHT JOIN job j ON j.parent = c.id",
    "SELECT c.id FROM customer c FULL JOIN job j ON j.parent = c.id",
    "SELECT id FROM customer WHERE companyname LIKE 'a!%' ESCAPE '!'",
]
FUNCTION_CALLS = [
    "SELECT ADD_MONTHS(datecreated, 1) FROM customer",
    "SELECT BUILTIN.RELATIVE_RANGES('TODAY', 'START') FROM customer",
    "SELECT ROW_NUMBER() OVER (ORDER BY id) FROM customer",
    "SELECT SUM(id) OVER (ORDER BY id) FROM customer",
    "SELECT TO_CHAR(id, '999') FROM customer",
    "SELECT TRUNC(id, 1) FROM customer",
]
DATE_FORMATS = [
    "SELECT TO_CHAR(datecreated, 'IW') FROM customer",
    "SELECT TRUNC(datecreated, 'Q') FROM customer",
]
# By what is lacking: method, path and query, headers, body.
ASKED = {
    "restlet": [("GET", "app/site/hosting/restlet.nl?script=1&deploy=1", {}, None)],
    "soap": [("POST", "services/NetSuitePort_2025_2", {}, None)],
    "service": [("GET", "services/rest/query/v1/dataset", {}, None)],
    "form": [
        ("GET", f"{RECORD}customer", {"Accept": f"application/vnd.oracle.resource+json; type={kind}"}, None)
        for kind in ("create-form", "edit-form", "select-options")
    ],
    "action": [("POST", f"{RECORD}salesOrder/1/@approve", {}, None)],
    "attach": [
        ("POST", f"{RECORD}customer/101/!{verb}/contact/9", {}, None) for verb in ("attach", "detach")
    ],
    "transform": [("POST", f"{RECORD}salesOrder/1/!transform/cashSale", {}, None)],
    "record": [("GET", f"{RECORD}opportunity", {}, None)],
    "batch read": [
        ("GET", f"{RECORD}customer?{query}", {}, None) for query in ("ids=101,102", "expandRecords=true")
    ],
    "query": [
        ("GET", f"{RECORD}customer?fields=email", {}, None),
        ("GET", f"{RECORD}customer/101?expand=all", {}, None),
        ("PATCH", f"{RECORD}customer/101?q=x", {}, {}),
        ("GET", f"{RECORD}metadata-catalog?limit=5", {}, None),
        ("POST", f"{SUITEQL}?fields=id", {}, {"q": "SELECT id FROM customer"}),
    ],
    "clause": [("POST", SUITEQL, {}, {"q": q}) for q in CLAUSES],
    "function": [("POST", SUITEQL, {}, {"q": q}) for q in FUNCTION_CALLS],
    "date format": [("POST", SUITEQL, {}, {"q": q}) for q in DATE_FORMATS],
    "field": [("PATCH", f"{RECORD}customer/101", {}, {"taxRegistration": {"items": []}})],
}


@pytest.mark.parametrize("what", LACKING)
async def test_what_is_lacking_is_refused(ns, what):
    """Everything that the README lists as not imitated is refused with the vendor's envelope."""
    for method, path, headers, body in ASKED[what]:
        answer = await ns.client.request(
            method,
            f"{ns.base_url}/{path}",
            json=body,
            headers={
                **ns.headers,
                "Prefer": "transient",
                "X-NetSuite-PropertyNameValidation": "Error",
                **headers,
            },
        )
        assert answer.status_code in (400, 404), (path, answer.text)
        assert answer.json()["o:errorDetails"][0]["detail"], path


async def test_a_mode_of_validation_that_there_is_not(ns):
    """The two headers for unknown names and wrong values take three words each."""
    header = {"X-NetSuite-PropertyNameValidation": "Strict"}
    answer = await ns.record("PATCH", "customer/101", {}, header)
    assert (answer.status_code, answer.json()["o:errorDetails"][0]["o:errorCode"]) == (400, "INVALID_HEADER")


def _section(title: str) -> str:
    return README.read_text().split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_readme_lists_what_is_lacking():
    """The list is complete, and has nothing that is there."""
    bullets = re.findall(r"^\* (.+)$", _section("Not imitated"), re.MULTILINE)
    assert bullets == list(LACKING.values())


def test_the_readme_has_every_length():
    """Field by field, as they are enforced."""
    section = _section("Text lengths")
    said = {
        name: int(most)
        for names, most in re.findall(r"^\| (`.+`) \| (\d+) \|$", section, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert said == LENGTHS | {f"{kind}.{name}": most for (kind, name), most in OF_RECORD.items()}
    assert f"Custom text fields have {CUSTOM}." in section


def test_the_readme_names_what_there_is():
    """Record types, query parameters and SuiteQL's functions are named."""
    section = " ".join(_section("Imitated").split())
    named = re.search(r"\*\*Records\*\*: (.+?)\. 204", section)
    assert named
    assert set(re.sub(r"\(.+?\)", "", named[1]).replace(" ", "").split(",")) == set(TYPES)
    parameters = re.search(r"Query parameters: (.+?)\.", section)
    assert parameters
    assert re.findall(r"`(\w+)`", parameters[1]) == list(PARAMETERS)
    functions = re.search(r"the functions (.+?);", section)
    assert functions
    extra = {"BUILTIN.DF", "SYSDATE", "SYSTIMESTAMP"}
    assert (
        set(re.findall(r"`([\w.]+)`", functions[1]))
        == {name.upper() for name in (*FUNCTIONS, *AGGREGATES)} | extra
    )
