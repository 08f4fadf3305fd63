"""Whatever the ERP: one customer and one contract per key, closed and revived, listed once, told truly."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.canonical.contract import BillingLine, ContractDraft, ContractLine
from contracts.canonical.customer import CustomerDraft
from contracts.canonical.values import Address, Money, TaxRegistration
from contracts.problems import NotFound, VendorRejected
from contracts.system.erp import BILLING_SCHEDULE
from tests.conformance.common import (
    Put,
    lists_once_in_order,
    tells_bad_answers,
)
from tests.conformance.conftest import ConnectorUnderTest, connectors
from tests.conformance.features import needs
from tests.conformance.keyed import keyed

CAPABILITY = "erp"
NOUNS = ("customer", "contract")
pytestmark = pytest.mark.parametrize("connector", connectors(CAPABILITY), indirect=True)

CUSTOMER = CustomerDraft(
    legal_name="Globex Corporation",
    selling_entity="NB-US",
    currency="USD",
    payment_terms="Net 30",
    billing_address=Address("1 Main St", "Floor 2", "Springfield", "IL", "62701", "US"),
    tax_registrations=(TaxRegistration("US", "12-3456789"),),
    credit_limit=Money(Decimal("250000.00"), "USD"),
    email="ap@globex.example",
)


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


def contract(customer_id: str, **changes: Any) -> ContractDraft:
    draft = ContractDraft(
        name="Globex data platform",
        customer_id=customer_id,
        opportunity_ref="006A",
        revision=1,
        selling_entity="NB-US",
        value=usd("180000.01"),
        pricing_model="fixed_price",
        payment_terms="Net 30",
        tax_profile="US-SERVICES",
        start=dt.date(2028, 2, 29),
        end=dt.date(2028, 12, 31),
        lines=(ContractLine("Build", Decimal(1), usd("180000.01"), "DATA", "US-SERVICES"),),
        billing_schedule=(
            BillingLine("Architecture agreed", dt.date(2028, 2, 29), usd("54000.00")),
            BillingLine("Platform live", dt.date(2028, 12, 31), usd("126000.01")),
        ),
    )
    return msgspec.structs.replace(draft, **changes)


async def actions(connector: ConnectorUnderTest, noun: str) -> tuple[Put, Put]:
    """How the noun is put and got, under a key of its own."""
    if noun == "customer":
        return (lambda api: api.put_customer("enf-1", CUSTOMER)), (
            lambda api: api.get_customer_by_key("enf-1")
        )
    owner = await connector.api.put_customer("enf-owner", CUSTOMER)
    draft = contract(owner.id)
    return (lambda api: api.put_contract("enf-1", draft)), (lambda api: api.get_contract_by_key("enf-1"))


(
    test_a_key_makes_one,
    test_first_creations_at_once_make_one,
    test_a_lost_answer_makes_one,
    test_a_write_without_an_answer_is_doubtful,
) = keyed(NOUNS, actions)


async def test_keys_of_any_length_are_told_apart(connector: ConnectorUnderTest) -> None:
    """Of two keys that differ in their last character only, each makes one customer, found again by it."""
    keys = ["enf-customer-" + letter.rjust(40, "x") for letter in "ab"]
    made = [(await connector.api.put_customer(key, CUSTOMER)).id for key in (*keys, *keys)]
    found = [(await connector.api.get_customer_by_key(key)).id for key in keys]
    assert made == found * 2
    assert len(set(found)) == 2


async def test_what_is_not_there_is_not_found(connector: ConnectorUnderTest) -> None:
    """Ids, keys, and a contract's unknown customer."""
    api = connector.api
    for read in (
        lambda: api.get_customer("999999"),
        lambda: api.get_customer("nobody"),
        lambda: api.get_customer_by_key("nobody"),
        lambda: api.get_contract("999999"),
        lambda: api.get_contract_by_key("nobody"),
        lambda: api.close_contract("nobody"),
        lambda: api.put_contract("enf-2", contract("999999")),
    ):
        with pytest.raises(NotFound):
            await read()
    with pytest.raises(NotFound):
        await api.get_contract_by_key("enf-2")


async def test_closed_and_put_again_it_is_the_same_one(connector: ConnectorUnderTest) -> None:
    """Closing twice changes nothing; a put opens the same contract again."""
    put, get = await actions(connector, "contract")
    made = await put(connector.api)
    closed = await connector.api.close_contract("enf-1")
    assert (closed.id, closed.status) == (made.id, "closed")
    assert await connector.api.close_contract("enf-1") == closed == await get(connector.api)
    revived = await put(connector.api)
    assert (revived.id, revived.status) == (made.id, "active")
    assert await connector.count("contract") == 1


async def test_it_reads_back_what_was_written(connector: ConnectorUnderTest) -> None:
    """Amounts to the cent, days to the day, and every word of the customer's master."""
    customer = await connector.api.put_customer("enf-1", CUSTOMER)
    assert await connector.api.get_customer(customer.id) == customer
    same = ("legal_name", "currency", "payment_terms", "credit_limit", "email", "billing_address")
    assert [getattr(customer, name) for name in same] == [getattr(CUSTOMER, name) for name in same]
    draft = contract(customer.id)
    made = await connector.api.put_contract("enf-2", draft)
    assert await connector.api.get_contract(made.id) == made
    assert (made.value, made.start, made.end) == (draft.value, draft.start, draft.end)
    needs(connector.lacks, BILLING_SCHEDULE)
    assert [(line.due, line.amount) for line in made.billing_schedule] == [
        (line.due, line.amount) for line in draft.billing_schedule
    ]


async def test_lists_give_everything_once(connector: ConnectorUnderTest) -> None:
    """Page by page, whatever the size of the pages."""
    owner = await connector.api.put_customer("enf-owner", CUSTOMER)
    for number in range(4):
        draft = msgspec.structs.replace(CUSTOMER, legal_name=f"Firm {number}", tax_registrations=())
        await connector.api.put_customer(f"enf-{number}", draft)
        await connector.api.put_contract(f"con-{number}", contract(owner.id, opportunity_ref=f"006{number}"))
    await lists_once_in_order(connector.api.list_customers, at_least=5)
    await lists_once_in_order(connector.api.list_contracts, at_least=4)


async def test_bad_answers_are_told(connector: ConnectorUnderTest) -> None:
    """Each by its name, and nothing of the vendor's words with it."""
    customer = await connector.api.put_customer("enf-1", CUSTOMER)
    await tells_bad_answers(connector, lambda: connector.api.get_customer(customer.id))


async def test_what_a_person_must_correct_is_a_rejection(connector: ConnectorUnderTest) -> None:
    """An entity that the account does not have is refused as such, and nothing is made."""
    before = await connector.count("customer")
    with pytest.raises(VendorRejected):
        await connector.api.put_customer(
            "enf-1", msgspec.structs.replace(CUSTOMER, selling_entity="NB-NOWHERE")
        )
    assert await connector.count("customer") == before


async def test_a_customer_is_found(connector: ConnectorUnderTest) -> None:
    """By its name, its tax number or its domain, each alone; another firm is not."""
    mine = await connector.api.put_customer("enf-1", CUSTOMER)
    other = msgspec.structs.replace(
        CUSTOMER, legal_name="Umbrella GmbH", tax_registrations=(), email="ap@umbrella.example"
    )
    await connector.api.put_customer("enf-2", other)
    for wanted in ({"name": "GLOBEX Corp."}, {"tax_number": "12 3456789"}, {"domain": "globex.example"}):
        found = await connector.api.find_customers(**wanted)
        assert [customer.id for customer in found.items] == [mine.id], wanted
        assert found.items[0].legal_name == CUSTOMER.legal_name
    assert not (await connector.api.find_customers(name="Nobody at All")).items


async def test_contracts_of_one_customer_are_its_own(connector: ConnectorUnderTest) -> None:
    """A list of one customer's contracts has all of these and no others."""
    owners = [
        await connector.api.put_customer(
            f"enf-{number}",
            msgspec.structs.replace(CUSTOMER, legal_name=f"Firm {number}", tax_registrations=()),
        )
        for number in range(2)
    ]
    made = [
        await connector.api.put_contract(f"con-{number}", contract(owner.id))
        for number, owner in enumerate((owners[0], owners[1], owners[0]))
    ]
    for owner, expected in ((owners[0], {made[0].id, made[2].id}), (owners[1], {made[1].id})):
        found = await connector.api.list_contracts(customer_id=owner.id)
        assert {contract.id for contract in found.items} == expected
