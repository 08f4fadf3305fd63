"""tests of NetSuite's room: one of each, whatever gets lost on the way; limits kept; refusals understood."""

import asyncio
from typing import Any

import msgspec
import pytest

from contracts.problems import ContractViolation, NotFound, VendorDoubtful, VendorRejected, VendorUnavailable
from kit.cache import Cache
from kit.database import Database
from kit.http import Recorder, Slots, VendorAnswer
from system_apis.connector import OpenInstance
from system_apis.vendors.netsuite.client.errors import read_error
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account
from tests.system_apis.netsuite.conftest import hurried
from tests.system_apis.netsuite.drafts import globex, platform


async def test_created_once_by_many(open_netsuite: Open, account: Account) -> None:
    """Twenty creations under one key at once, from two processes, make one customer and one contract."""
    opened = [await open_netsuite(), await open_netsuite()]
    erps = [each.capabilities["erp"] for each in opened]
    customers = await asyncio.gather(*(erps[n % 2].put_customer("enf-cus-1", globex()) for n in range(20)))
    draft = platform(customers[0].id)
    contracts = await asyncio.gather(*(erps[n % 2].put_contract("enf-con-1", draft) for n in range(20)))
    assert len({customer.id for customer in customers}) == 1
    assert len({contract.id for contract in contracts}) == 1
    keys = [record.get("externalId") for record in await account.records("customer")]
    assert keys.count("enf-cus-1") == 1
    assert len(await account.records("salesOrder")) == 1
    assert len(await account.records("billingSchedule")) == 1


@pytest.mark.parametrize(
    "effect",
    [
        {"drop": "before"},
        {"drop": "after"},
        {"status": 500, "when": "after"},
        {"status": 503, "when": "before"},
        {"html": 502},
        {"status": 429, "when": "before"},
        {"commit_late_ms": 100},
        {"expire_token": True},
    ],
    ids=lambda effect: "-".join(map(str, [*effect, *effect.values()])),
)
@pytest.mark.parametrize("kind", ["customer", "billingSchedule", "salesOrder"])
async def test_one_of_each(erp: Any, account: Account, kind: str, effect: dict[str, Any]) -> None:
    """Lost answers, late commits and dead tokens leave one of each and no error."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await account.add_fault(effect, method="PUT", path=f"/{kind}/")
    customer = await erp.put_customer("enf-cus-1", globex())
    contract = await erp.put_contract("enf-con-1", platform(customer.id))
    assert contract.status == "active"
    assert len(await account.records("salesOrder")) == 1
    assert len(await account.records("billingSchedule")) == 1
    assert len(await account.records("customer")) == 3  # two are the account's own


async def test_closed_once(erp: Any, account: Account) -> None:
    """A close whose answer is lost is repeated, and the contract is closed."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await erp.put_contract("enf-con-1", platform(customer.id))
    await account.add_fault({"drop": "after"}, method="PATCH", path="/salesOrder/")
    assert (await erp.close_contract("enf-con-1")).status == "closed"


async def test_doubtful_then_found(erp: Any, account: Account, profile: NetSuiteProfile) -> None:
    """When every answer is lost the outcome is doubtful; asked later under its key, the record is there."""
    attempts = profile.limits.attempts
    await account.add_fault({"drop": "after"}, method="PUT", path="/customer/", times=attempts)
    with pytest.raises(VendorDoubtful):
        await erp.put_customer("enf-cus-1", globex())
    found = await erp.get_customer_by_key("enf-cus-1")
    assert (await erp.put_customer("enf-cus-1", globex())).id == found.id


async def test_timeout(open_netsuite: Open, account: Account, profile: NetSuiteProfile) -> None:
    """A vendor that is too slow for us leaves a doubt, and one record."""
    opened = await open_netsuite(hurried(profile, timeout_seconds=1, attempts=1))
    hold = await account.hold("after", method="PUT", path="/customer/")
    with pytest.raises(VendorDoubtful):
        await opened.capabilities["erp"].put_customer("enf-cus-1", globex())
    await hold.release()
    erp = (await open_netsuite(profile)).capabilities["erp"]
    assert (await erp.get_customer_by_key("enf-cus-1")).legal_name == "Globex Corporation"


async def test_vendor_down(erp: Any, account: Account) -> None:
    """A vendor that keeps failing is unavailable for reads; nothing of its body is told."""
    await account.add_fault({"status": 500, "when": "before"}, method="GET", times=None)
    with pytest.raises(VendorUnavailable) as caught:
        await erp.get_customer("101")
    assert not isinstance(caught.value, VendorDoubtful)
    assert "Error ID" not in caught.value.detail


async def test_a_query_leaves_no_doubt(erp: Any, account: Account) -> None:
    """A query, though sent as POST, leaves no doubt when its answer is lost or a gateway refuses it."""
    for effect in ({"drop": "after"}, {"html": 503}):
        await account.add_fault(effect, method="POST", path="/suiteql", times=None)
        with pytest.raises(VendorUnavailable) as caught:
            await erp.list_customers()
        assert type(caught.value) is VendorUnavailable
        assert "may be done" not in caught.value.detail
        await account.clear_faults()


async def test_an_odd_row_is_left_out_and_named(erp: Any, netsuite: OpenInstance, account: Account) -> None:
    """The other customers are listed; the odd one is named, and its value is not."""
    sql = queries.customers(netsuite.profile).after(None, 51)
    rows = await netsuite.client.query(sql)
    rows[0] |= {"creditlimit": "a secret lot"}
    body = {"items": rows, "hasMore": False}
    answer = {"answer": {"status": 200, "body": body}}
    await account.add_fault(answer, method="POST", path="/suiteql", body=".*FROM customer .*", times=None)
    page = await erp.list_customers()
    assert [item.id for item in page.items] == [row["id"] for row in rows[1:]]
    (left_out,) = page.left_out
    assert (left_out.id, "secret" in left_out.why) == (rows[0]["id"], False)


async def test_off_schema(erp: Any, account: Account) -> None:
    """An answer off its schema is a contract violation, in a record and in a row."""
    customer = {"status": 200, "body": {"id": 7, "companyName": None}}
    await account.add_fault({"answer": customer}, method="GET", path="/customer/")
    with pytest.raises(ContractViolation):
        await erp.get_customer("101")
    rows = {"status": 200, "body": {"items": [{"id": "1", "changed": "yesterday"}]}}
    await account.add_fault({"answer": rows}, method="POST", path="/suiteql")
    with pytest.raises(ContractViolation):
        await erp.list_customers()
    await account.add_fault({"answer": {"status": 204, "body": None}}, method="PUT", path="/customer/")
    with pytest.raises(ContractViolation):
        await erp.put_customer("enf-cus-1", globex())


async def test_burst(
    open_netsuite: Open, account: Account, profile: NetSuiteProfile, database_url: str
) -> None:
    """A burst over NetSuite's concurrency from two processes waits with us: NetSuite refuses none of it."""
    await account.set_limits(concurrency=2)
    narrow = hurried(profile, concurrency=2, reserve_interactive=1, timeout_seconds=30)
    narrow = msgspec.structs.replace(narrow, name=f"netsuite-{account.name}")
    databases = [Database(database_url), Database(database_url)]
    slots = [Slots(database.url) for database in databases]
    erps = [(await open_netsuite(narrow, slots=each)).capabilities["erp"] for each in slots]
    await account.clear_calls()
    made = await asyncio.gather(
        *(erps[n % 2].put_customer(f"enf-cus-{n}", globex(legal_name=f"Firm {n}")) for n in range(40))
    )
    assert len({each.id for each in made}) == 40
    calls = await account.calls()
    assert {call["status"] for call in calls} <= {200, 204, 404}  # each customer is looked for first
    assert (await account.count_calls())["max_in_flight"] <= 3  # two of ours, and a login beside them
    for each, database in zip(slots, databases, strict=True):
        await each.close()
        await database.close()


async def test_rows_of_calls(open_netsuite: Open, fresh_database_url: str, cache: Cache) -> None:
    """Every call leaves a row with NetSuite's own operation id, and no key or id in its route."""
    database = Database(fresh_database_url)
    recorder = Recorder(database)
    opened = await open_netsuite(recorder=recorder, cache=cache)
    await opened.capabilities["erp"].put_customer("enf-cus-1", globex())
    await recorder.close()
    async with database.connect() as connection:
        rows = (
            await connection.exec_driver_sql("SELECT * FROM enfilade.vendor_calls ORDER BY id")
        ).mappings()
        routes = [(row["method"], row["template"], bool(row["vendor_request_id"])) for row in rows]
    await database.close()
    assert routes == [
        ("POST", "token", True),
        ("GET", "/services/rest/record/v1/customer/{id}", True),
        ("PUT", "/services/rest/record/v1/customer/eid:{key}", True),
        ("GET", "/services/rest/record/v1/customer/{id}", True),
        ("POST", "/services/rest/query/v1/suiteql", True),  # whether customers are shared by subsidiaries,
        ("POST", "/services/rest/query/v1/suiteql", True),  # and by which this one is
    ]


def refusal(status: int, code: str, detail: str) -> VendorAnswer:
    body = {"title": "x", "status": status, "o:errorDetails": [{"detail": detail, "o:errorCode": code}]}
    return VendorAnswer(
        "netsuite-main", "PUT", "/customer/eid:{key}", status, {}, msgspec.json.encode(body), "op-1"
    )


@pytest.mark.parametrize(
    ("status", "code", "detail", "kind"),
    [
        (
            404,
            "NONEXISTENT_ID",
            "The record instance does not exist. Provide a valid record instance ID.",
            NotFound,
        ),
        (
            400,
            "USER_ERROR",
            "Error while accessing a resource. Transaction type specified is incorrect.",
            NotFound,
        ),
        (404, "NONEXISTENT_ID", "Record type 'file' does not exist.", VendorRejected),
        (401, "INVALID_LOGIN", "Invalid login attempt.", VendorRejected),
        (403, "INSUFFICIENT_PERMISSION", "Permission Violation", VendorRejected),
        (400, "INVALID_CONTENT", "Error while accessing resource: Invalid Field Value 9999", VendorRejected),
        (400, "INVALID_PARAMETER", "Record 'customer' was not found.", VendorRejected),
        (
            429,
            "CONCURRENCY_LIMIT_EXCEEDED",
            "Concurrent request limit exceeded. Request blocked.",
            VendorUnavailable,
        ),
        (400, "SSS_REQUEST_LIMIT_EXCEEDED", "Request Limit Exceeded", VendorUnavailable),
        (403, "SSS_REQUEST_LIMIT_EXCEEDED", "Request Limit Exceeded", VendorUnavailable),
        (409, "RCRD_HAS_BEEN_CHANGED", "Record has been changed.", VendorUnavailable),
        (400, "USER_ERROR", "Error. Record has been changed.", VendorUnavailable),
    ],
)
def test_error_table(status: int, code: str, detail: str, kind: type[Exception]) -> None:
    """Each refusal known from the vendor's help or a recording means what it should, with its id."""
    problem = read_error(refusal(status, code, detail))
    assert type(problem) is kind
    assert problem.extra["vendor_request_id"] == "op-1"


def test_an_unreadable_refusal() -> None:
    """A gateway's page or nonsense is judged by its status alone."""
    answer = VendorAnswer("netsuite-main", "GET", "/x", 502, {}, b"<html>", "")
    assert read_error(answer) is None
    assert isinstance(read_error(msgspec.structs.replace(answer, status=400)), VendorRejected)
