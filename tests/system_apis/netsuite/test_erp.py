"""tests of NetSuite's room: customers and contracts as the ERP capability promises them."""

import datetime as dt
import tomllib
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.canonical.matching import domain
from contracts.canonical.values import Address, Money, TaxRegistration
from contracts.problems import Invalid, NotFound, VendorRejected
from kit.database import encode_page
from system_apis.connector.custom_values import CustomValue
from system_apis.connector.erp import ErpRequired
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account
from tests.system_apis.netsuite.conftest import changed
from tests.system_apis.netsuite.drafts import CAP, MILESTONES, RETAINER, globex, platform, usd


async def test_put_customer(erp: Any, account: Account) -> None:
    """A customer comes back as it was put, with NetSuite's id, page and key."""
    made = await erp.put_customer("enf-cus-1", globex())
    draft = globex()
    for name in ("legal_name", "selling_entity", "currency", "payment_terms", "billing_address", "email"):
        assert getattr(made, name) == getattr(draft, name)
    assert made.credit_limit == draft.credit_limit
    assert made.tax_registrations == draft.tax_registrations
    assert made.status == "approved"
    own, key = made.refs
    assert (own.instance, own.object, own.id) == ("netsuite-main", "customer", made.id)
    assert own.url.endswith(f".app.netsuite.com/app/common/entity/custjob.nl?id={made.id}")
    assert key.id == "enf-cus-1"
    record = await account.record("customer", made.id)
    assert record["companyName"] == "Globex Corporation"
    assert record["subsidiary"] == {"id": "3"}
    assert made == await erp.get_customer(made.id) == await erp.get_customer_by_key("enf-cus-1")
    assert made == await erp.get_customer(f"00{made.id}")


async def test_put_customer_again(erp: Any, account: Account) -> None:
    """A second put brings the one customer to the new state: no second one, no second address."""
    first = await erp.put_customer("enf-cus-1", globex())
    second = await erp.put_customer("enf-cus-1", globex(legal_name="Globex Inc", email="new@globex.example"))
    assert second.id == first.id
    assert second.legal_name == "Globex Inc"
    record = await account.record("customer", first.id)
    assert len(record["addressBook"]["items"]) == 1


async def test_a_customer_of_two_subsidiaries_is_both_entities(erp: Any, account: Account) -> None:
    """One whose secondary subsidiary is another entity of ours buys there, too, and nowhere else."""
    made = await erp.put_customer("enf-cus-1", globex())
    relation = {"entity": {"id": made.id}, "subsidiary": {"id": "2"}}
    await account.create("customerSubsidiaryRelationship", **relation)
    shared = await erp.get_customer(made.id)
    assert (shared.selling_entity, shared.other_entities) == ("NB-US", ("NB-UK",))
    (alike,) = (await erp.find_customers(name="Globex Corporation")).items
    (listed,) = [one for one in (await erp.list_customers()).items if one.id == made.id]
    assert alike.other_entities == listed.other_entities == ("NB-UK",)
    order = platform(made.id, selling_entity="NB-UK")
    await erp.put_contract("enf-con-1", order)
    with pytest.raises(VendorRejected):
        await erp.put_contract("enf-con-2", platform(made.id, selling_entity="NB-DE"))


async def test_without_the_feature_a_customer_has_one_entity(erp: Any, account: Account) -> None:
    """An account that hides the relationship from our role is asked for it once."""
    await account.change_settings({"permissions": {"customerSubsidiaryRelationship": "none"}})
    made = await erp.put_customer("enf-cus-1", globex())
    assert made.other_entities == ()
    await account.clear_calls()
    await erp.get_customer(made.id)
    assert (await account.count_calls())["count"] == 1


async def test_a_person_s_addresses_stay(erp: Any, account: Account) -> None:
    """A repeated put changes the default billing address alone, in place; a person's others stay."""
    made = await erp.put_customer("enf-cus-1", globex())
    (billing,) = (await account.record("customer", made.id))["addressBook"]["items"]
    theirs = {"label": "Depot", "defaultBilling": False, "defaultShipping": True}
    theirs["addressBookAddress"] = {"addr1": "Dock 4", "city": "Ogdenville", "country": {"id": "US"}}
    book = [{"id": billing["id"], "label": "Head office", "defaultShipping": False}, theirs]
    await account.edit("customer", made.id, addressBook={"items": book})
    _, depot = (await account.record("customer", made.id))["addressBook"]["items"]
    moved = Address("2 Side St", city="Shelbyville", country="US")
    for draft in (globex(), globex(billing_address=moved), globex(billing_address=None)):
        await erp.put_customer("enf-cus-1", draft)
    ours, other = (await account.record("customer", made.id))["addressBook"]["items"]
    assert (ours["id"], ours["label"], ours["defaultShipping"]) == (billing["id"], "Head office", False)
    assert (other["id"], other["label"], other["defaultShipping"]) == (depot["id"], "Depot", True)
    assert other["addressBookAddress"]["addr1"] == "Dock 4"
    assert (await erp.get_customer(made.id)).billing_address == moved
    assert "addr2" not in ours["addressBookAddress"], "what the new address lacks is emptied"


async def test_unknown_ids(erp: Any) -> None:
    """What NetSuite does not know is not found, also where it says so with a 400."""
    for ask in (
        erp.get_customer("999999"),
        erp.get_customer_by_key("no-such"),
        erp.get_contract("999999"),
        erp.get_contract_by_key("no-such"),
        erp.close_contract("no-such"),
        erp.put_contract("enf-con-1", platform("999999")),
    ):
        with pytest.raises(NotFound):
            await ask


async def test_an_inactive_customer_is_not_live(erp: Any, account: Account) -> None:
    """A customer set inactive is not found under its key and shows as blocked; a put revives it."""
    made = await erp.put_customer("enf-cus-1", globex())
    await account.edit("customer", made.id, isInactive=True)
    with pytest.raises(NotFound):
        await erp.get_customer_by_key("enf-cus-1")
    assert (await erp.get_customer(made.id)).status == "blocked"
    assert (await erp.put_customer("enf-cus-1", globex())).status == "approved"


LONG_ADDRESS = Address("1 " + "x" * 149, city="y" * 51, state="z" * 31, postal_code="9" * 37, country="US")


async def test_texts_that_are_too_long_for_a_customer(erp: Any, account: Account) -> None:
    """Each is refused by its place and its length, before anything is sent; one that just fits is saved."""
    numbers = (TaxRegistration("US", "1" * 21),)
    draft = globex(legal_name="G" * 84, email="a@" + "e" * 253, tax_registrations=numbers)
    await account.clear_calls()
    with pytest.raises(
        VendorRejected, match="the legal name has 84 characters; netsuite-main takes 83"
    ) as caught:
        await erp.put_customer("enf-cus-1", msgspec.structs.replace(draft, billing_address=LONG_ADDRESS))
    assert {fault.pointer for fault in caught.value.errors} == {
        "/legal_name",
        "/email",
        "/tax_registrations/0/number",
        "/billing_address/line1",
        "/billing_address/city",
        "/billing_address/state",
        "/billing_address/postal_code",
    }
    assert {fault.code for fault in caught.value.errors} == {"too_long"}
    assert (await account.count_calls(method="PUT"))["count"] == 0
    fitting = Address("x" * 150, "y" * 150, "z" * 50, "s" * 30, "9" * 36, "US")
    made = await erp.put_customer("enf-cus-1", globex(legal_name="G" * 83, billing_address=fitting))
    assert (made.legal_name, made.billing_address) == ("G" * 83, fitting)


async def test_texts_that_are_too_long_for_a_contract(erp: Any, account: Account) -> None:
    """Name and descriptions are refused; a schedule's name is cut, since the order has it as a whole."""
    customer = await erp.put_customer("enf-cus-1", globex())
    draft = platform(customer.id)
    lines = (msgspec.structs.replace(draft.lines[0], description="d" * 1000), *draft.lines[1:])
    with pytest.raises(VendorRejected) as caught:
        await erp.put_contract("enf-con-1", platform(customer.id, name="n" * 1000, lines=lines))
    assert [fault.pointer for fault in caught.value.errors] == ["/name", "/lines/0/description"]
    assert not await account.records("billingSchedule")
    name = "Globex data platform, second phase, with the operations of the first"
    made = await erp.put_contract("enf-con-1", platform(customer.id, name=name))
    assert made.name == name
    (schedule,) = await account.records("billingSchedule")
    assert schedule["name"] == "Globex data platform, second phase, with the oper…"


async def test_fractions_of_the_smallest_amount(erp: Any, account: Account) -> None:
    """A credit limit, a line and a billing line finer than their currency are refused by their places."""
    await account.clear_calls()
    with pytest.raises(VendorRejected) as caught:
        await erp.put_customer("enf-cus-1", globex(credit_limit=usd("1.005")))
    assert caught.value.errors[0].pointer == "/credit_limit"
    half = msgspec.structs.replace(platform("1").lines[0], amount=usd("0.005"))
    part = msgspec.structs.replace(MILESTONES[0], amount=usd("0.005"))
    for more, place in (
        ({"lines": (half,)}, "lines/0"),
        ({"billing_schedule": (part,)}, "billing_schedule/0"),
    ):
        with pytest.raises(VendorRejected) as caught:
            await erp.put_contract("enf-con-1", platform("1", **more))
        assert caught.value.errors[0].pointer == f"/{place}/amount"
    assert (await account.count_calls(method="PUT"))["count"] == 0


async def test_no_contract_for_an_inactive_customer(erp: Any, account: Account) -> None:
    """It is refused with the customer's name, and finance told; the contracts that there are go on."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await erp.put_contract("enf-con-1", platform(customer.id))
    await account.edit("customer", customer.id, isInactive=True)
    with pytest.raises(VendorRejected, match="'Globex Corporation' is inactive") as caught:
        await erp.put_contract("enf-con-2", platform(customer.id))
    (fault,) = caught.value.errors
    assert (fault.pointer, fault.code, fault.fixed_by) == ("/customer_id", "inactive", "finance")
    assert (await erp.put_contract("enf-con-1", platform(customer.id, revision=2))).revision == 2


@pytest.mark.parametrize(
    ("model", "schedule"),
    [("fixed_price", MILESTONES), ("retainer", RETAINER), ("time_and_materials", CAP), ("fixed_price", ())],
)
async def test_put_contract(erp: Any, model: str, schedule: Any) -> None:
    """A contract comes back as it was put, whatever its pricing model, and is read the same later."""
    customer = await erp.put_customer("enf-cus-1", globex())
    draft = platform(customer.id, pricing_model=model, billing_schedule=schedule)
    made = await erp.put_contract("enf-con-1", draft)
    names = ("name", "customer_id", "opportunity_ref", "revision", "selling_entity", "value")
    for name in (*names, "payment_terms", "start", "end"):
        assert getattr(made, name) == getattr(draft, name), name
    assert made.billing_schedule == schedule
    assert made.pricing_model == (model if schedule else None)
    assert made.status == "active"
    assert made.number.startswith("SO")
    assert made == await erp.get_contract(made.id) == await erp.get_contract_by_key("enf-con-1")


async def test_value_is_without_tax(erp: Any) -> None:
    """Tax that NetSuite adds is not part of the contract's value."""
    customer = await erp.put_customer(
        "enf-cus-2", globex(selling_entity="NB-UK", currency="GBP", credit_limit=None)
    )
    gbp = Money(usd("180000.00").amount, "GBP")
    lines = tuple(
        msgspec.structs.replace(
            line, amount=Money(line.amount.amount, "GBP"), tax_code="UK-STD", service_line="CLOUD"
        )
        for line in platform("1").lines
    )
    draft = platform(
        customer.id, selling_entity="NB-UK", value=gbp, lines=lines, tax_profile="UK-STD", billing_schedule=()
    )
    assert (await erp.put_contract("enf-con-2", draft)).value == gbp
    assert (await erp.list_contracts(customer_id=customer.id)).items[0].value == gbp


async def test_close_and_revive(erp: Any, account: Account) -> None:
    """A closed contract keeps its key; closing twice changes nothing; a put opens it again."""
    customer = await erp.put_customer("enf-cus-1", globex())
    made = await erp.put_contract("enf-con-1", platform(customer.id))
    closed = await erp.close_contract("enf-con-1")
    assert (closed.id, closed.status) == (made.id, "closed")
    assert (await erp.close_contract("enf-con-1")).status == "closed"
    assert (await erp.get_contract_by_key("enf-con-1")).status == "closed"
    revived = await erp.put_contract(
        "enf-con-1", platform(customer.id, revision=2, billing_schedule=MILESTONES[:1])
    )
    assert (revived.id, revived.status, revived.revision) == (made.id, "active", 2)
    assert (await erp.get_contract(made.id)).billing_schedule == MILESTONES[:1]
    assert len(await account.records("salesOrder")) == 1
    assert len(await account.records("billingSchedule")) == 1
    assert all(not line["isClosed"] for line in (await account.records("salesOrder"))[0]["item"]["items"])


async def test_fewer_lines(erp: Any, account: Account) -> None:
    """A put with fewer lines leaves no old line behind."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await erp.put_contract("enf-con-1", platform(customer.id))
    draft = platform(customer.id)
    await erp.put_contract(
        "enf-con-1", platform(customer.id, lines=draft.lines[:1], value=usd("60000.00"), billing_schedule=())
    )
    record = (await account.records("salesOrder"))[0]
    assert len(record["item"]["items"]) == 1
    assert "billingSchedule" not in record


async def test_pages(erp: Any, account: Account) -> None:
    """Lists go by last change, page by page, each record once, also where many changed in one second."""
    since = dt.datetime.now(dt.UTC).replace(microsecond=0)
    later = since + dt.timedelta(seconds=1)
    await account.freeze_clock(since.isoformat())
    for number in range(5):
        await erp.put_customer(f"enf-cus-{number}", globex(legal_name=f"Firm {number}"))
    await account.freeze_clock(later.isoformat())
    customer = await erp.put_customer("enf-cus-5", globex(legal_name="Firm 5"))
    for number in range(3):
        await erp.put_contract(f"enf-con-{number}", platform(customer.id))
    seen, cursor = [], None
    while True:
        page = await erp.list_customers(
            updated_since=since if cursor is None else None, cursor=cursor, limit=2
        )
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    mine = [found for found in seen if found.legal_name.startswith("Firm")]
    assert [found.legal_name for found in mine] == [f"Firm {number}" for number in range(6)]
    first = await erp.list_contracts(customer_id=customer.id, limit=2)
    second = await erp.list_contracts(customer_id=customer.id, limit=2, cursor=first.next_cursor)
    assert len({found.id for found in first.items + second.items}) == 3
    assert first.items[0].value == usd("180000.00")
    assert first.items[0].opportunity_ref == "006A"
    assert (await erp.list_contracts(customer_id="nobody")).items == ()
    found = (await erp.list_customers(updated_since=later)).items
    assert [each.legal_name for each in found if each.refs[-1].object == "external_id"] == ["Firm 5"]


async def test_a_cursor_of_somebody_else(erp: Any) -> None:
    """A cursor that we never gave is refused before it comes near a query."""
    for cursor in ("bm8", encode_page("' OR 1=1", 1)):
        with pytest.raises(Invalid):
            await erp.list_customers(cursor=cursor)


async def test_find_customers(erp: Any) -> None:
    """A firm is found by its tax number, its name without its legal form, or its domain."""
    made = await erp.put_customer("enf-cus-1", globex())
    mueller = await erp.put_customer(
        "enf-cus-2", globex(legal_name="Müller & Söhne GmbH", email="a@mueller.example", tax_registrations=())
    )
    await erp.put_customer(
        "enf-cus-3", globex(legal_name="Globexa", email="x@noglobex.example", tax_registrations=())
    )

    async def ids(**asked: str) -> list[str]:
        return [found.id for found in (await erp.find_customers(**asked)).items]

    assert await ids(tax_number="12 3456789") == [made.id]
    assert await ids(tax_number="US123456789") == [made.id]
    assert await ids(name="GLOBEX, Inc.") == [made.id]
    assert await ids(name="Muller & Sohne") == [mueller.id]  # though the vendor compares letters
    assert await ids(name="MÜLLER und Söhne") == [mueller.id]
    assert await ids(name="Müller & Söhne AG") == [mueller.id]
    assert await ids(domain="globex.example") == [made.id]
    assert await ids(name="It's nobody' OR '1'='1") == []
    assert await ids() == []


FIRMS = tomllib.loads((Path(__file__).parents[2] / "contracts" / "firms.toml").read_text(encoding="utf-8"))
ASKED = {"names": "name", "tax_numbers": "tax_number", "domains": "domain"}


async def test_every_form_of_a_firm_is_found(erp: Any, account: Account) -> None:
    """By whichever spelling one asks, the ERP's own is among the candidates, and no other firm is."""
    kinds = [[pair for pair in FIRMS[kind] if pair["same"]] for kind in ASKED]
    sets = list(zip_longest(*kinds, fillvalue={}))
    records = [
        {
            "companyName": name["other"],
            "vatRegNumber": number.get("other", ""),
            "email" if "@" in address.get("other", "") else "url": address.get("other", ""),
            "subsidiary": {"id": "3"},
        }
        for name, number, address in sets
    ]
    made = (await account.seed({"customer": records}))["customer"]
    held = dict(zip(made, sets, strict=True))
    for at, (kind, pairs) in enumerate(zip(ASKED, kinds, strict=True)):
        for pair in pairs:
            asked = domain(pair["one"]) if kind == "domains" else pair["one"]
            found = await erp.find_customers(**{ASKED[kind]: asked})
            assert [held[each.id][at] for each in found.items] == [pair]


async def test_what_is_no_country_is_not_sent(erp: Any, account: Account) -> None:
    """It is refused by what was given."""
    before = (await account.count_calls(method="PUT"))["count"]
    with pytest.raises(VendorRejected, match="Atlantis"):
        await erp.put_customer("enf-cus-1", globex(billing_address=Address(country="Atlantis")))
    assert (await account.count_calls(method="PUT"))["count"] == before


async def test_required_custom_field(
    erp: Any, account: Account, open_netsuite: Open, profile: NetSuiteProfile
) -> None:
    """A custom field that the account insists on is told by its name, then served by profile alone."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await account.change_schema(
        {
            "object": "customer",
            "add_field": {
                "name": "custentity_segment",
                "type": "string",
                "label": "Segment",
                "required": True,
            },
        }
    )
    await account.change_schema(
        {
            "object": "salesOrder",
            "add_field": {"name": "custbody_entity", "type": "string", "label": "Sold by", "required": True},
        }
    )
    with pytest.raises(VendorRejected) as caught:
        await erp.put_contract("enf-con-1", platform(customer.id))
    assert caught.value.errors[0].field == "Sold by"
    assert caught.value.vendor_request_id
    wanted = ErpRequired(
        customer={"custentity_segment": CustomValue(value="Enterprise")},
        contract={"custbody_entity": CustomValue(source="selling_entity", map={"NB-US": "US Inc"})},
    )
    other = (await open_netsuite(changed(profile, required_custom=wanted))).capabilities["erp"]
    with pytest.raises(VendorRejected, match="does not map 'NB-UK'"):
        await other.put_contract("enf-con-2", platform(customer.id, selling_entity="NB-UK"))
    await other.put_customer("enf-cus-1", globex())
    await other.put_contract("enf-con-1", platform(customer.id))
    assert (await account.record("customer", customer.id))["custentity_segment"] == "Enterprise"
    assert (await account.records("salesOrder"))[0]["custbody_entity"] == "US Inc"


async def test_codes_that_the_profile_does_not_know(erp: Any, account: Account) -> None:
    """A code without a NetSuite id is told with its field, before anything is sent."""
    before = (await account.count_calls(method="PUT"))["count"]
    with pytest.raises(VendorRejected) as caught:
        await erp.put_customer("enf-cus-1", globex(payment_terms="Net 90"))
    assert caught.value.errors[0].field == "payment_terms"
    assert (await account.count_calls(method="PUT"))["count"] == before


async def test_currencies_and_terms_from_the_account(
    open_netsuite: Open, profile: NetSuiteProfile, account: Account
) -> None:
    """Where the profile leaves currencies and terms out, they are read from the account, once."""
    opened = await open_netsuite(changed(profile, currencies={}, terms={}))
    erp = opened.capabilities["erp"]
    first = await erp.put_customer("enf-cus-1", globex())
    await erp.get_customer(first.id)
    assert (first.currency, first.payment_terms) == ("USD", "Net 30")
    # One for each table, and three for the subsidiaries of one customer read twice.
    assert (await account.count_calls(path=".*suiteql"))["count"] == 5


async def test_the_least_calls(erp: Any, account: Account) -> None:
    """A contract costs three calls: its schedule, its order, and reading back what scripts made of it."""
    customer = await erp.put_customer("enf-cus-1", globex())
    await account.clear_calls()
    await erp.put_contract("enf-con-1", platform(customer.id))
    assert (await account.count_calls())["count"] == 3
