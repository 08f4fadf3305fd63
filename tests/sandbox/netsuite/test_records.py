"""Records of the NetSuite stand-in over its wire."""

import asyncio

import pytest

from sandbox.netsuite.lengths import LENGTHS, UNLIMITED
from sandbox.netsuite.schema import ADDRESS, TYPES
from tests.sandbox.netsuite.conftest import ACME, order, refusal

LINES = [(10, 150), (2, 99.5)]


async def test_create_answers_204_with_location_and_vendor_headers(ns):
    """A create has no body, a Location, and the two ids that the vendor's support asks for."""
    answer = await ns.record("POST", "customer", ACME)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["location"].startswith(f"{ns.base_url}/services/rest/record/v1/customer/")
    assert {"x-n-operationid", "x-netsuite-jobid"} <= set(answer.headers)
    assert "etag" not in answer.headers


async def test_read_shows_references_with_text_and_leaves_out_the_empty(ns, acme):
    """A read has links and texts of references, defaults from the subsidiary, and no empty field."""
    seen = await ns.read(f"customer/{acme}")
    assert seen["subsidiary"]["refName"] == "Northbeam Advisory Ltd"
    assert seen["subsidiary"]["links"][0]["href"].endswith("/subsidiary/2")
    assert seen["currency"]["refName"] == "GBP"
    assert seen["entityStatus"] == {"links": [], "id": "13", "refName": "CUSTOMER-Closed Won"}
    assert (seen["id"], seen["externalId"], seen["balance"]) == (acme, "CRM-001", 0)
    assert "email" not in seen
    assert list(seen["addressBook"]) == ["links"]


async def test_enums_in_short_and_chosen_fields(ns, acme):
    """simpleEnumFormat gives plain ids, fields gives only what was asked."""
    assert (await ns.read(f"customer/{acme}", simpleEnumFormat="true"))["entityStatus"] == "13"
    chosen = await ns.read(f"customer/{acme}", fields="companyName")
    assert set(chosen) == {"links", "id", "companyName"}
    unknown = await ns.record("GET", f"customer/{acme}", fields="companyName,nickname")
    assert refusal(unknown)[:2] == (400, "INVALID_PARAMETER")


async def test_subresources(ns):
    """Sublists come short, expanded, or by their own address, with numeric line ids."""
    address = {"addr1": "1 Main St", "city": "Leeds", "zip": "LS1 1AA", "country": {"id": "GB"}}
    book = {"items": [{"defaultBilling": True, "addressBookAddress": address}]}
    made = await ns.make("customer", {**ACME, "addressBook": book})
    whole = await ns.read(f"customer/{made}", expandSubResources="true")
    line = whole["addressBook"]["items"][0]
    assert line["addressBookAddress"]["country"] == {"links": [], "id": "GB", "refName": "United Kingdom"}
    assert (type(line["id"]), type(line["addressId"])) == (int, str)
    alone = await ns.read(f"customer/{made}/addressBook/{line['id']}/addressBookAddress")
    assert (alone["addr1"], "Leeds" in alone["addrText"]) == ("1 Main St", True)
    assert (await ns.record("GET", f"customer/{made}/nothing")).status_code == 404


async def test_missing_values_are_named_as_on_the_form(ns):
    """What OneWorld and the form insist on is refused with the labels a person sees."""
    nothing = await ns.record("POST", "customer", {})
    assert refusal(nothing) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. Please enter value(s) for: Company Name, Primary Subsidiary.",
    )
    assert (
        nothing.headers["content-type"] == "application/vnd.oracle.resource+json; type=error; charset=UTF-8"
    )
    no_lines = await ns.record("POST", "salesOrder", {"entity": {"id": await ns.make("customer", ACME)}})
    assert "at least one line item" in refusal(no_lines)[2]


async def test_references_may_be_spelt_in_every_way(ns):
    """An id, a bare number, a text or an external id all find it; a wrong one is refused with its path."""
    parent = await ns.make("customer", ACME)
    for spelt in ({"id": parent}, int(parent), {"id": "eid:CRM-001"}, {"externalId": "CRM-001"}):
        made = await ns.make(
            "customer",
            {"companyName": "Sub", "subsidiary": {"refName": "Northbeam Advisory Ltd"}, "parent": spelt},
        )
        assert (await ns.read(f"customer/{made}"))["parent"]["id"] == parent
    wrong = await ns.record(
        "POST", "salesOrder", {"entity": {"id": parent}, "item": {"items": [{"item": {"id": "9999"}}]}}
    )
    opening = "Error while accessing resource: You have entered"
    said = f"{opening} an Invalid Field Value 9999 for the following field: item"
    assert refusal(wrong)[1:] == ("INVALID_CONTENT", said)
    assert wrong.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].item"


async def test_wrong_types_and_unknown_fields(ns):
    """A wrong type is refused; an unknown field is refused, warned of or ignored as the header says."""
    assert (
        refusal(await ns.record("POST", "customer", {**ACME, "creditLimit": "much"}))[1] == "INVALID_CONTENT"
    )
    assert refusal(await ns.record("POST", "customer", {**ACME, "nickname": "A"}))[1] == "INVALID_CONTENT"
    mode = "X-NetSuite-PropertyNameValidation"
    warned = await ns.record("POST", "customer", {**ACME, "nickname": "A"}, {mode: "Warning"})
    assert (warned.status_code, "nickname" in warned.headers["warning"]) == (204, True)
    ignored = await ns.record("PUT", "customer/eid:Z", {**ACME, "nickname": "A"}, {mode: "Ignore"})
    assert (ignored.status_code, "warning" in ignored.headers) == (204, False)


async def test_duplicates(ns, acme):
    """Two firms may share a name; an entity id or an external id may not be had twice."""
    twin = await ns.make("customer", {"companyName": ACME["companyName"], "subsidiary": {"id": "2"}})
    assert twin != acme
    number = (await ns.read(f"customer/{acme}"))["entityId"]
    again = await ns.record(
        "POST", "customer", {"companyName": "B", "subsidiary": {"id": "2"}, "entityId": number}
    )
    assert refusal(again)[2] == "Error while accessing a resource. This entity already exists."
    assert refusal(await ns.record("POST", "customer", ACME))[2].endswith("This record already exists.")


async def test_upsert_by_external_id(ns):
    """PUT creates or changes by external id with one answer for both, and takes no internal id."""
    path = "customer/eid:CRM-77"
    answers = [
        await ns.record("PUT", path, {"companyName": n, "subsidiary": {"id": "3"}}) for n in ("A", "B")
    ]
    assert [a.status_code for a in answers] == [204, 204]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert (await ns.read(path))["companyName"] == "B"
    assert (await ns.record("PUT", "customer/51", {})).status_code == 400
    assert (await ns.record("PUT", "customer/eid:has space", {"companyName": "A"})).status_code == 400


async def test_unknown_records(ns):
    """An unknown customer is 404, an unknown transaction 400, an unknown type 404 with its name."""
    assert refusal(await ns.record("GET", "customer/99999"))[:2] == (404, "NONEXISTENT_ID")
    assert refusal(await ns.record("GET", "salesOrder/99999")) == (
        400,
        "USER_ERROR",
        "Error while accessing a resource. Transaction type specified is incorrect.",
    )
    assert refusal(await ns.record("GET", "salesOrder/eid:none"))[0] == 404
    assert refusal(await ns.record("GET", "file"))[2] == "Record type 'file' does not exist."
    assert refusal(await ns.record("PATCH", "customer", {}))[0] == 405


async def test_body_must_be_json(ns):
    """Another media type is 415, bad JSON and a list are INVALID_CONTENT."""
    url = f"{ns.base_url}/services/rest/record/v1/customer"
    for media, body, status in (
        ("text/plain", b"{}", 415),
        ("application/json", b"{", 400),
        ("application/json", b"[]", 400),
    ):
        answer = await ns.client.post(url, content=body, headers={**ns.headers, "Content-Type": media})
        assert answer.status_code == status


async def test_sales_order_takes_its_customers_company_and_currency(ns, acme):
    """Subsidiary, currency and rate come from the customer; sums are exact; services wait for billing."""
    made = await ns.make("salesOrder", order(acme, *LINES, memo="phase 1"))
    seen = await ns.read(f"salesOrder/{made}", expandSubResources="true")
    assert (seen["subsidiary"]["id"], seen["currency"]["refName"], seen["exchangeRate"]) == ("2", "GBP", 1)
    assert (seen["total"], seen["status"]["refName"], seen["source"]["id"]) == (
        1699.0,
        "Pending Billing",
        "restWebServices",
    )
    assert [line["amount"] for line in seen["item"]["items"]] == [1500.0, 199.0]
    assert (await ns.read(f"customer/{acme}"))["unbilledOrders"] == 1699.0


async def test_one_world(ns, acme):
    """Another company's subsidiary and a currency off the customer's list are refused until listed."""
    foreign = await ns.record("POST", "salesOrder", order(acme, subsidiary={"id": "3"}))
    dollars = await ns.record("POST", "salesOrder", order(acme, currency={"id": "2"}))
    assert [refusal(a)[2][-10:] for a in (foreign, dollars)] == ["subsidiary", ": currency"]
    await ns.record("PATCH", f"customer/{acme}", {"currencyList": {"items": [{"currency": {"id": "2"}}]}})
    made = await ns.make("salesOrder", order(acme, currency={"id": "2"}))
    assert (await ns.read(f"salesOrder/{made}"))["exchangeRate"] == 0.79


async def test_no_new_orders_for_an_inactive_customer(ns, acme):
    """An inactive customer gets no new order; those that it has are changed and billed all the same."""
    made = await ns.make("salesOrder", order(acme))
    await ns.record("PATCH", f"customer/{acme}", {"isInactive": True})
    refused = await ns.record("POST", "salesOrder", order(acme))
    assert refusal(refused)[1] == "INVALID_CONTENT"
    assert refused.json()["o:errorDetails"][0]["o:errorPath"] == "entity"
    assert (await ns.record("PATCH", f"salesOrder/{made}", {"memo": "last one"})).status_code == 204
    assert (await ns.record("POST", f"salesOrder/{made}/!transform/invoice")).status_code == 204


async def test_yen_has_no_decimals(ns):
    """An amount with a fraction of a yen or a cent is refused; what a rate comes to is rounded."""
    lines = {"currencyList": {"items": [{"currency": {"id": "4"}}]}}
    buyer = await ns.make("customer", {**ACME, **lines})
    made = await ns.make("salesOrder", order(buyer, (3, 100.4), currency={"id": "4"}))
    assert (await ns.read(f"salesOrder/{made}"))["total"] == 301
    for currency, amount, status in (("4", 100.5, 400), ("4", 100, 204), ("1", 0.005, 400), ("1", 0.05, 204)):
        line = {"item": {"id": "11"}, "quantity": 1, "amount": amount}
        body = {"entity": {"id": buyer}, "currency": {"id": currency}, "item": {"items": [line]}}
        answer = await ns.record("POST", "salesOrder", body)
        assert answer.status_code == status, (currency, amount)
        if status == 400:
            assert answer.json()["o:errorDetails"][0]["o:errorPath"] == "item.items[0].amount"
    limited = {"companyName": "Yen KK", "subsidiary": {"id": "2"}, "currency": {"id": "4"}}
    assert (
        refusal(await ns.record("POST", "customer", {**limited, "creditLimit": 1.5}))[1] == "INVALID_CONTENT"
    )


@pytest.mark.parametrize(
    ("field", "most"),
    [("companyName", 83), ("vatRegNumber", 20), ("addr1", 150), ("city", 50), ("state", 30)],
)
async def test_a_text_is_refused_when_it_is_too_long(ns, field, most):
    """A text as long as its field is taken, one of a character more is refused in the vendor's words."""

    def body(length):
        text = {field: "x" * length}
        if field in ADDRESS:
            return {**ACME, "addressBook": {"items": [{"addressBookAddress": text}]}}
        return {**ACME, **text}

    status, code, detail = refusal(await ns.record("POST", "customer", body(most + 1)))
    said = f"contained more than the maximum number ( {most} ) of characters allowed."
    assert (status, code, said in detail) == (400, "USER_ERROR", True)
    assert (await ns.record("POST", "customer", body(most))).status_code == 204


def test_every_text_field_has_its_length():
    """No text field of a record or a line takes any number of characters by oversight."""
    texts = {
        each.name
        for kind in TYPES.values()
        for fields in (kind.fields, ADDRESS, *(sublist.fields for sublist in kind.sublists.values()))
        for each in fields.values()
        if each.kind == "string" and not each.read_only
    }
    assert texts == set(LENGTHS) | UNLIMITED
    assert not set(LENGTHS) & UNLIMITED


async def test_tax_of_lines(ns, acme):
    """A line's tax code is worked out on top of the amount."""
    line = {"item": {"id": "11"}, "quantity": 1, "amount": 100, "taxCode": {"id": "21"}}
    made = await ns.make("salesOrder", {"entity": {"id": acme}, "item": {"items": [line]}})
    seen = await ns.read(f"salesOrder/{made}")
    assert (seen["subtotal"], seen["taxTotal"], seen["total"]) == (100.0, 20.0, 120.0)


async def test_patch_merges_keyed_lines_and_appends_the_others(ns, acme):
    """PATCH changes lines by their key and appends lines without one; null clears a field."""
    made = await ns.make("salesOrder", order(acme, *LINES, memo="x"))
    items = [{"line": 1, "quantity": 20}, {"item": {"id": "12"}, "rate": 5}]
    await ns.record("PATCH", f"salesOrder/{made}", {"memo": None, "item": {"items": items}})
    seen = await ns.read(f"salesOrder/{made}", expandSubResources="true")
    assert [(i["line"], i["quantity"], i["amount"]) for i in seen["item"]["items"]] == [
        (1, 20, 3000),
        (2, 2, 199),
        (3, 1, 5),
    ]
    assert "memo" not in seen


async def test_replace_drops_what_is_not_sent(ns, acme):
    """With ?replace=item absent lines go; a repeated PUT without it appends the lines once more."""
    path = "salesOrder/eid:SO-1"
    for _ in range(2):
        await ns.record("PUT", path, order(acme, *LINES))
    doubled = (await ns.read(path, expandSubResources="true"))["item"]["totalResults"]
    await ns.record("PUT", f"{path}", order(acme, *LINES), replace="item")
    single = (await ns.read(path, expandSubResources="true"))["item"]["totalResults"]
    assert (doubled, single) == (4, 2)
    assert refusal(await ns.record("PATCH", path, {}, replace="nothing"))[1] == "INVALID_PARAMETER"


async def test_address_book_without_key_appends(ns, acme):
    """An address sent again without its key becomes a second one."""
    book = {
        "addressBook": {"items": [{"addressBookAddress": {"addr1": "1 Main St", "country": {"id": "GB"}}}]}
    }
    for _ in range(2):
        await ns.record("PATCH", f"customer/{acme}", book)
    assert (await ns.read(f"customer/{acme}/addressBook"))["totalResults"] == 2
    await ns.record("PATCH", f"customer/{acme}", {"addressBook": None})
    assert (await ns.read(f"customer/{acme}/addressBook"))["totalResults"] == 0


async def test_refused_change_leaves_the_record_alone(ns, acme):
    """A save is whole or not at all."""
    before = await ns.read(f"customer/{acme}")
    assert (
        await ns.record("PATCH", f"customer/{acme}", {"email": "a@b.example", "creditLimit": -1})
    ).status_code == 400
    assert await ns.read(f"customer/{acme}") == before


async def test_transform_bills_what_is_open(ns, acme):
    """An order becomes invoices until nothing is left, and its status follows."""
    made = await ns.make("salesOrder", order(acme, *LINES, terms={"id": "1"}, tranDate="2026-03-01"))
    part = {
        "externalId": "INV-1",
        "tranDate": "2026-03-31",
        "item": {"items": [{"orderLine": 1, "quantity": 4}]},
    }
    first = await ns.record("POST", f"salesOrder/{made}/!transform/invoice", part)
    assert "/invoice/" in first.headers["location"]
    seen = await ns.read("invoice/eid:INV-1")
    assert (seen["total"], seen["amountRemaining"], seen["dueDate"]) == (600.0, 600.0, "2026-04-30")
    assert seen["createdFrom"]["refName"] == "Sales Order #SO0001"
    assert (await ns.record("POST", f"salesOrder/{made}/!transform/invoice")).status_code == 204
    assert (await ns.read(f"salesOrder/{made}"))["status"]["refName"] == "Billed"
    third = await ns.record("POST", f"salesOrder/{made}/!transform/invoice")
    assert refusal(third)[2].endswith(f"You can not initialize invoice: invalid reference {made}.")
    assert (await ns.read(f"customer/{acme}"))["balance"] == 1699.0
    assert (await ns.record("POST", f"salesOrder/{made}/!transform/itemReceipt")).status_code == 400


async def test_pending_approval_is_not_billed(ns, acme):
    """An order that waits for approval cannot become an invoice."""
    made = await ns.make("salesOrder", order(acme, orderStatus={"id": "A"}))
    assert (await ns.read(f"salesOrder/{made}"))["status"]["refName"] == "Pending Approval"
    assert (await ns.record("POST", f"salesOrder/{made}/!transform/invoice")).status_code == 400


async def test_delete(ns, acme):
    """A customer with an order cannot be deleted; the order can, and then the customer."""
    made = await ns.make("salesOrder", order(acme))
    assert "dependent records" in refusal(await ns.record("DELETE", f"customer/{acme}"))[2]
    assert (await ns.record("DELETE", f"salesOrder/{made}")).status_code == 204
    assert (await ns.record("DELETE", f"customer/{acme}")).status_code == 204
    assert (await ns.record("GET", f"customer/{acme}")).status_code == 404


async def test_billing_schedule_and_project(ns, acme):
    """A billing schedule with milestones hangs on an order, a project on its customer."""
    milestones = {"items": [{"milestoneAmount": 40, "milestoneDate": "2027-01-31"}, {"milestoneAmount": 60}]}
    schedule = await ns.make(
        "billingSchedule", {"name": "Globex", "scheduleType": {"id": "FBM"}, "milestone": milestones}
    )
    lines = await ns.read(f"billingSchedule/{schedule}/milestone")
    assert [line["milestoneId"] for line in lines["items"]] == [1, 2]
    made = await ns.make("salesOrder", order(acme, billingSchedule={"id": schedule}))
    assert (await ns.read(f"salesOrder/{made}"))["billingSchedule"]["refName"] == "Globex"
    project = await ns.make("job", {"companyName": "P", "parent": {"id": acme}, "subsidiary": {"id": "2"}})
    assert (await ns.read(f"job/{project}"))["currency"]["refName"] == "GBP"
    assert (
        refusal(await ns.record("PATCH", f"job/{project}", {"customer": {"id": acme}}))[1]
        == "INVALID_CONTENT"
    )


async def test_custom_fields(ns, acme):
    """A custom field is unknown until it is made, then stored; a mandatory one is asked for by its label."""
    made = await ns.make("salesOrder", order(acme, custbody_enfilade_opportunity="006X"))
    assert (await ns.read(f"salesOrder/{made}"))["custbody_enfilade_opportunity"] == "006X"
    sent = {**ACME, "externalId": "C2", "custentity_risk": "low"}
    assert (await ns.record("POST", "customer", sent)).status_code == 400
    field = {"name": "custentity_risk", "type": "string", "label": "Risk class", "required": True}
    assert (await ns.control("POST", "schema", {"object": "customer", "add_field": field})).status_code == 200
    assert (await ns.record("POST", "customer", sent)).status_code == 204
    without = await ns.record("POST", "customer", {**ACME, "externalId": "C3"})
    assert refusal(without)[2] == "Error while accessing a resource. Please enter value(s) for: Risk class."
    await ns.control("POST", "schema", {"object": "customer", "remove_field": "custentity_risk"})
    assert (await ns.record("POST", "customer", {**ACME, "externalId": "C3"})).status_code == 204


async def test_missing_permission(new_account):
    """A role with less than it needs is told so, and SuiteQL does not know the table."""
    ns = await new_account(permissions={"salesOrder": "view", "customer": "none"})
    assert refusal(await ns.record("POST", "salesOrder", {}))[:2] == (403, "INSUFFICIENT_PERMISSION")
    assert (await ns.record("GET", "salesOrder")).status_code == 200
    assert (await ns.record("GET", "customer")).status_code == 403
    assert "Record 'customer' was not found." in refusal(await ns.sql("SELECT id FROM customer"))[2]


async def test_concurrency_is_a_number_of_calls_under_way(ns):
    """With one place taken by a held call the next is refused with 429 and no Retry-After."""
    await ns.control("PUT", "limits", {"concurrency": 1})
    hold = (await ns.control("POST", "holds", {"match": {"path": "currency"}})).json()["id"]
    first = asyncio.create_task(ns.record("GET", "currency"))
    await ns.control("GET", f"holds/{hold}?wait_seconds=5")
    second = await ns.record("GET", "customer")
    assert refusal(second)[:2] == (429, "CONCURRENCY_LIMIT_EXCEEDED")
    assert "retry-after" not in second.headers
    await ns.control("POST", f"holds/{hold}/release")
    assert (await first).status_code == 200
    limits = (await ns.call("GET", "system/v1/governanceLimits")).json()
    assert limits["accountConcurrencyLimit"] == 1


async def test_injected_failures_look_like_the_vendors(ns):
    """Injected statuses have the vendor's envelope; a gateway's failure is HTML."""
    for status in (403, 500):
        await ns.control("POST", "faults", {"effect": {"status": status}})
        assert (await ns.record("GET", "currency")).json()["status"] == status
    await ns.control("POST", "faults", {"effect": {"status": 503}})
    assert (await ns.record("GET", "currency")).headers["content-type"].startswith("text/html")
