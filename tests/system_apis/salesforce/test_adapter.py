"""tests: the CRM promise on the Salesforce stand-in."""

import datetime as dt
from decimal import Decimal

import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.canonical.values import Money
from contracts.problems import Invalid, NotFound, VendorRejected
from tests.system_apis.salesforce.conftest import one

LINK = ProjectLink(project_id="prj_1", status="active", project_url="https://psa.example/p?a=1&b=2")


async def test_reads_a_deal(org, instance):
    """A deal comes with its terms in our codes, its money exact, and takes one call beside the login."""
    record = await one(org, "Opportunity", "Globex data platform")
    await org.clear_calls()
    deal = await instance.capabilities["crm"].get_opportunity(record["Id"])
    assert deal.name == "Globex data platform"
    assert deal.stage == "open"
    assert deal.amount == Money(Decimal("180000.00"), "USD")
    assert (deal.service_line, deal.region, deal.pricing_model) == ("DATA", "NA", "fixed_price")
    assert (deal.delivery_template, deal.rate_card) == ("DT-DATA-PLATFORM", "RC-US-2026")
    assert deal.payment_terms == "Net 30"
    assert (deal.expected_start, deal.expected_end) == (dt.date(2027, 1, 11), dt.date(2027, 6, 30))
    assert deal.customer_id == (await one(org, "Account", "Globex Corporation"))["Id"]
    assert deal.lines
    assert sum(line.total.amount for line in deal.lines) == Decimal("180000.00")
    assert deal.account_team
    assert deal.unmapped == {}
    assert deal.refs[0].instance == "salesforce-main"
    paths = [call["path"] for call in await org.calls()]
    assert len([path for path in paths if "oauth2" not in path]) == 1


async def test_reads_by_both_id_spellings(org, instance):
    """An id of 15 characters and its spelling of 18 name the same deal."""
    record = await one(org, "Opportunity", "Globex data platform")
    crm = instance.capabilities["crm"]
    assert await crm.get_opportunity(record["Id"][:15]) == await crm.get_opportunity(record["Id"])


@pytest.mark.parametrize(
    "wrong", ["006000000000001AAB", "x", "006", "001000000000001AAA", "' OR Id != '", "006xx00000000zzAAA"]
)
async def test_unknown_ids(instance, wrong):
    """What is no id of an opportunity is NotFound, whatever it looks like."""
    with pytest.raises(NotFound):
        await instance.capabilities["crm"].get_opportunity(wrong)


async def test_won_by_flags(org, instance):
    """A deal is won by the org's flags and not by a label."""
    record = await one(org, "Opportunity", "Globex data platform")
    await org.edit("Opportunity", record["Id"], StageName="Closed Won")
    assert (await instance.capabilities["crm"].get_opportunity(record["Id"])).stage == "won"
    await org.edit("Opportunity", record["Id"], StageName="Closed Won by phone")
    deal = await instance.capabilities["crm"].get_opportunity(record["Id"])
    assert (deal.stage, deal.stage_label) == ("open", "Closed Won by phone")


async def test_unmapped_values(org, open_org):
    """A value without a code is told, not guessed; an empty one takes the firm's default."""
    record = await one(org, "Opportunity", "Globex data platform")
    await org.edit("Opportunity", record["Id"], Payment_Terms__c=None)
    async with open_org(
        picklists={"service_line": {"Cloud Migration": "CLOUD"}},
        defaults={"opportunity": {"payment_terms": "Net 45"}},
    ) as instance:
        deal = await instance.capabilities["crm"].get_opportunity(record["Id"])
    assert deal.unmapped == {"service_line": "Data & Analytics"}
    assert deal.service_line == ""
    assert deal.payment_terms == "Net 45"


async def test_reads_a_customer(org, instance):
    """An account comes with its address, tax number and credit limit."""
    record = await one(org, "Account", "Initech Ltd")
    customer = await instance.capabilities["crm"].get_customer(record["Id"])
    assert (customer.legal_name, customer.currency, customer.status) == ("Initech Ltd", "GBP", "prospect")
    assert customer.credit_limit == Money(Decimal("50000.00"), "GBP")
    assert customer.billing_address
    assert customer.billing_address.country == "GB"
    assert [(tax.country, tax.number) for tax in customer.tax_registrations] == [("GB", "GB123456789")]
    with pytest.raises(NotFound):
        await instance.capabilities["crm"].get_customer("001000000000001AAA")


async def test_pages_by_change(org, instance):
    """Pages follow each other by last change without gap or repetition."""
    crm = instance.capabilities["crm"]
    found, cursor = [], None
    while True:
        page = await crm.list_opportunities(cursor=cursor, limit=1)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(deal.id for deal in found) == sorted(r["Id"] for r in await org.records("Opportunity"))
    assert [deal.updated_at for deal in found] == sorted(deal.updated_at for deal in found)
    last = found[-1]
    newest = (await crm.list_opportunities(updated_since=last.updated_at)).items
    assert newest[-1] == await crm.get_opportunity(last.id)
    assert (await crm.list_opportunities(updated_since=last.updated_at + dt.timedelta(days=1))).items == ()
    with pytest.raises(Invalid):
        await crm.list_opportunities(cursor="bm9uc2Vuc2U=")


async def test_lists_contacts_and_customers(org, instance):
    """An account's contacts are its own; an unknown account has none to list."""
    crm = instance.capabilities["crm"]
    account = await one(org, "Account", "Globex Corporation")
    contacts = (await crm.list_contacts(account["Id"])).items
    wanted = [c for c in await org.records("Contact") if c["AccountId"] == account["Id"]]
    assert {contact.id for contact in contacts} == {contact["Id"] for contact in wanted}
    assert all(contact.name for contact in contacts)
    with pytest.raises(NotFound):
        await crm.list_contacts("001000000000001AAA")
    names = {customer.legal_name for customer in (await crm.list_customers(limit=200)).items}
    assert {"Globex Corporation", "Initech Ltd", "Umbrella GmbH"} <= names


async def test_a_merged_account_says_which_one_is_left(org, instance):
    """It is not found as one that never was, but by the account that people go on with."""
    crm = instance.capabilities["crm"]
    left = await one(org, "Account", "Globex Corporation")
    double = {"Name": "Globex Corp (double)", "MasterRecordId": left["Id"]}
    (gone,) = (await org.seed({"Account": [double]}))["Account"]
    await org.delete("Account", gone)
    with pytest.raises(NotFound, match=f"merged into the account {left['Id']}"):
        await crm.get_customer(gone)


async def test_link_is_written_once(org, instance):
    """The link goes onto the deal; the same again writes nothing; an empty one clears."""
    crm = instance.capabilities["crm"]
    record = await one(org, "Opportunity", "Globex data platform")
    linked = await crm.put_project_link(record["Id"], LINK)
    stored = await org.record("Opportunity", record["Id"])
    assert stored["Project_Id__c"] == "prj_1"
    assert stored["Project_Url__c"] == "https://psa.example/p?a=1&b=2"
    assert stored["Activation_Status__c"] == "active"
    assert linked == await crm.get_opportunity(record["Id"])
    await org.clear_calls()
    assert await crm.put_project_link(record["Id"], LINK) == linked
    assert [call["method"] for call in await org.calls()] == ["GET"]
    cleared = await crm.put_project_link(record["Id"], ProjectLink(project_id="", status=""))
    assert cleared.project_ref == ""
    assert (await org.record("Opportunity", record["Id"]))["Project_Id__c"] is None
    with pytest.raises(NotFound):
        await crm.put_project_link("006000000000001AAA", LINK)


async def test_required_custom_field(org, open_org):
    """A custom field that the org demands with every save is served by the profile, and never overwritten."""
    record = await one(org, "Opportunity", "Globex data platform")
    added = {"name": "Sync_Source__c", "type": "string", "length": 40, "required": True}
    await org.change_schema({"object": "Opportunity", "add_field": added})
    async with open_org() as instance:
        with pytest.raises(VendorRejected, match="REQUIRED_FIELD_MISSING"):
            await instance.capabilities["crm"].put_project_link(record["Id"], LINK)
    required = {"opportunity": {"Sync_Source__c": "Enfilade"}}
    async with open_org(required_custom=required) as instance:
        await instance.capabilities["crm"].put_project_link(record["Id"], LINK)
        stored = await org.record("Opportunity", record["Id"])
        assert (stored["Project_Id__c"], stored["Sync_Source__c"]) == ("prj_1", "Enfilade")
        await org.edit("Opportunity", record["Id"], Sync_Source__c="Anna")
        await instance.capabilities["crm"].put_project_link(record["Id"], ProjectLink("prj_2", "active"))
    assert (await org.record("Opportunity", record["Id"]))["Sync_Source__c"] == "Anna"


async def test_client_credentials(org, open_org):
    """The other login works just so."""
    changed = {
        "flow": "client_credentials",
        "client_secret": "env:SALESFORCE_CLIENT_SECRET",
        "login_url": "env:SALESFORCE_LOGIN_URL",
        "client_id": "env:SALESFORCE_CLIENT_ID",
    }
    async with open_org(connection=changed) as instance:
        assert (await instance.capabilities["crm"].list_opportunities(limit=1)).items
