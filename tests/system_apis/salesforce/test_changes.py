"""tests: changes in a Salesforce org arrive by its stream, and by the poll where the stream lost them."""

from contextlib import AsyncExitStack

import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.events.kinds import CUSTOMER_CHANGED, OPPORTUNITY_CHANGED, OPPORTUNITY_WON
from contracts.problems import VendorRejected
from system_apis.connector import ConnectorContext
from system_apis.vendors.salesforce import CONNECTOR
from tests.support.listening import Cursors, Inbox, running
from tests.system_apis.salesforce.conftest import one, profile

FAST = {"poll_seconds": 0.05}


def by_name(instance, ending):
    return next(source for source in instance.changes if source.name.endswith(ending))


async def until_started(org, source, cursors):
    """The source listens: a sign of life of the bus, or the first look of the poll."""
    await cursors.until(lambda kept: any(name.startswith(source.name) for name in kept))
    await org.advance_clock(5)  # Salesforce's stamps count whole seconds


@pytest.fixture
async def deal(org):
    return (await one(org, "Opportunity", "Globex data platform"))["Id"]


async def test_a_win_arrives_by_the_stream(org, open_org, deal):
    """A won deal is told as won, once, under the deal's own key, and by its flags."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            won = await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
    assert won.change.id == deal
    assert won.change.values == {"stage": "won"}
    assert won.key == f"salesforce-main:opportunity:{deal}"
    assert not won.change.by_us


async def test_stream_names_what_changed(org, open_org, deal):
    """The bitmaps of a change event become our names of the fields, the org's custom ones included."""
    inbox, cursors = Inbox(), Cursors()
    account = (await one(org, "Account", "Globex Corporation"))["Id"]
    async with open_org() as instance, AsyncExitStack() as stack:
        for ending in ("stream:Opportunity", "stream:Account"):
            source = by_name(instance, ending)
            await stack.enter_async_context(running(source, inbox, cursors))
            await until_started(org, source, cursors)
        await org.edit("Opportunity", deal, Service_Line__c="Managed Services", NextStep="call")
        changed = await inbox.until(lambda item: item.type == OPPORTUNITY_CHANGED)
        await org.edit("Account", account, BillingCity="Austin", Tax_Number__c="98-7654321")
        customer = await inbox.until(lambda item: item.type == CUSTOMER_CHANGED)
    assert changed.change.fields == ("service_line",)
    assert set(customer.change.fields) == {"billing_address", "tax_registrations"}


async def test_stream_goes_on_where_it_was(org, open_org, deal):
    """What happened while nobody listened arrives when one listens again, and nothing arrives twice."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.edit("Opportunity", deal, CloseDate="2027-01-05")
            await inbox.until(lambda item: "close_date" in item.change.fields)
    await org.advance_clock(5)
    await org.edit("Opportunity", deal, StageName="Closed Won")
    async with open_org() as instance, running(by_name(instance, "stream:Opportunity"), inbox, cursors):
        await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
    assert len(inbox.items) == 2


async def test_refused_replay_id(org, open_org, deal):
    """Where the kept place is refused, the stream starts with all that the bus still keeps."""
    await org.edit("Opportunity", deal, StageName="Closed Won")
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        cursors.kept[source.name] = "ffffffffffffffff"
        async with running(source, inbox, cursors):
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
    assert cursors.kept[source.name] not in ("", "ffffffffffffffff")


async def test_stream_logs_in_again(org, open_org, deal):
    """A stream whose token died before it was opened logs in again."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        used = await instance.client._session.identity()
        form = {"token": used.access_token}
        assert (await org.control.client.post("/services/oauth2/revoke", data=form)).is_success
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
        assert (await instance.client._session.identity()).access_token != used.access_token


async def test_a_broken_stream_is_taken_up(org, open_org, deal):
    """A stream that the bus refuses or cuts is opened again where it was."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        await org.add_fault({"status": 503}, method="GRPC", path="Subscribe", times=2)
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON)


async def test_gap_events_are_read_up(org, open_org, deal):
    """A change event without data makes us read the record; one without ids makes us look through all."""
    inbox, cursors = Inbox(), Cursors()
    other = (await one(org, "Opportunity", "Initech cloud migration"))["Id"]
    third = (await one(org, "Opportunity", "Wayne discovery"))["Id"]
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.set_notifications("lose", times=2)
            for record_id in (deal, other):
                await org.edit("Opportunity", record_id, StageName="Closed Won")
            gap = {"entityName": "Opportunity", "changeType": "GAP_UPDATE", "recordIds": [deal]}
            await org.create("ChangeEvent", **gap)
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON and item.change.id == deal)
            assert not any(item.change.id == other for item in inbox.items)
            overflow = {"entityName": "Opportunity", "changeType": "GAP_OVERFLOW", "recordIds": []}
            await org.create("ChangeEvent", **overflow)
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON and item.change.id == other)
            await org.set_notifications("lose", times=1)
            await org.edit("Opportunity", third, StageName="Closed Won")
            many = {"entityName": "Opportunity", "changeType": "UPDATE", "recordIds": ["006*"]}
            await org.create("ChangeEvent", **many)
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON and item.change.id == third)


async def test_unselected_entity(open_org, salesforce_sandbox):
    """A stream of an object that the org does not publish ends with the vendor's refusal."""
    account = await salesforce_sandbox.create_account(change_data_capture=["Opportunity"])
    async with CONNECTOR.open(profile(), ConnectorContext(environ=account.env)) as instance:
        with pytest.raises(VendorRejected):
            async with running(by_name(instance, "stream:Account"), Inbox(), Cursors()) as task:
                await task
        finding = {f.name: f for f in (await instance.check()).findings}["Change Data Capture: Account"]
    assert not finding.ok
    await account.remove()


async def test_own_writes_are_marked(org, open_org, deal):
    """What we wrote ourselves comes back marked as ours; a person's change does not."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await instance.capabilities["crm"].put_project_link(deal, ProjectLink("prj_1", "active"))
            ours = await inbox.until(lambda item: "project_ref" in item.change.fields)
            await org.advance_clock(5)
            await org.edit("Opportunity", deal, Project_Id__c="typed by hand")
            theirs = await inbox.until(lambda item: item.dedupe_id != ours.dedupe_id)
    assert ours.change.by_us
    assert not theirs.change.by_us


async def test_the_poll_finds_what_the_stream_lost(org, open_org, deal):
    """A win of which the bus never told is found by the poll, even with a later edit over it."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org(changes=FAST) as instance:
        stream, poll = by_name(instance, "stream:Opportunity"), by_name(instance, "poll")
        async with running(stream, inbox, cursors):
            await until_started(org, stream, cursors)
            async with running(poll, Inbox(), cursors):
                await until_started(org, poll, cursors)
            await org.set_notifications("lose", times=2)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            await org.advance_clock(5)
            await org.edit("Opportunity", deal, NextStep="celebrate")
            async with running(poll, inbox, cursors):
                won = await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
                await inbox.until(lambda item: item.type == OPPORTUNITY_CHANGED)
    assert won.change.id == deal


async def test_stream_and_poll_know_each_others_changes(org, open_org, deal):
    """The same change found by stream and by poll has one id."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org(changes=FAST) as instance:
        stream, poll = by_name(instance, "stream:Opportunity"), by_name(instance, "poll")
        async with running(stream, inbox, cursors):
            async with running(poll, Inbox(), cursors):
                await until_started(org, poll, cursors)
                await until_started(org, stream, cursors)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            await inbox.until(lambda item: item.type == OPPORTUNITY_WON)
            async with running(poll, inbox, cursors):
                await inbox.until_repeated()
    assert len(inbox.items) == 1


async def test_told_many_times(org, open_org, deal):
    """A notification that comes fifty times is one change."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org() as instance:
        source = by_name(instance, "stream:Opportunity")
        async with running(source, inbox, cursors):
            await until_started(org, source, cursors)
            await org.set_notifications("duplicate", times=1, copies=50)
            await org.edit("Opportunity", deal, StageName="Closed Won")
            await inbox.until_repeated()
            await org.advance_clock(5)
            await org.edit("Opportunity", deal, CloseDate="2027-01-06")
            await inbox.until(lambda item: item.type == OPPORTUNITY_CHANGED)
    assert [item.type for item in inbox.items] == [OPPORTUNITY_WON, OPPORTUNITY_CHANGED]


async def test_old_wins_start_nothing(org, open_org, deal):
    """What was won before the org was connected is not told by the poll."""
    await org.edit("Opportunity", deal, StageName="Closed Won")
    inbox, cursors = Inbox(), Cursors()
    async with open_org(changes=FAST) as instance:
        poll = by_name(instance, "poll")
        async with running(poll, inbox, cursors):
            await until_started(org, poll, cursors)
            account = (await one(org, "Account", "Globex Corporation"))["Id"]
            await org.edit("Account", account, Website="globex.example")
            await inbox.until(lambda item: item.type == CUSTOMER_CHANGED)
    assert [item.type for item in inbox.items] == [CUSTOMER_CHANGED]


async def test_deletion(org, open_org, deal):
    """A deleted deal is told as such, by the stream and by the poll alike."""
    inbox, cursors = Inbox(), Cursors()
    async with open_org(changes=FAST) as instance:
        stream, poll = by_name(instance, "stream:Opportunity"), by_name(instance, "poll")
        async with running(stream, inbox, cursors), running(poll, inbox, cursors):
            await until_started(org, stream, cursors)
            await until_started(org, poll, cursors)
            await org.delete("Opportunity", deal)
            gone = await inbox.until(lambda item: item.change.kind == "deleted")
            await inbox.until_repeated()
    assert gone.change.id == deal


async def test_a_merged_account(org, open_org):
    """Stream and poll say into which account it was merged, which the event of its deletion does not."""
    inbox, cursors = Inbox(), Cursors()
    left = (await one(org, "Account", "Globex Corporation"))["Id"]
    double = {"Name": "Globex Corp (double)", "MasterRecordId": left}
    (merged,) = (await org.seed({"Account": [double]}))["Account"]
    async with open_org(changes=FAST) as instance:
        stream, poll = by_name(instance, "stream:Account"), by_name(instance, "poll")
        async with running(stream, inbox, cursors), running(poll, inbox, cursors):
            await until_started(org, stream, cursors)
            await until_started(org, poll, cursors)
            await org.delete("Account", merged)
            await inbox.until(lambda item: item.change.id == merged)
            await inbox.until_repeated()
    said = {(item.change.kind, item.change.merged_into) for item in inbox.items if item.change.id == merged}
    assert said == {("merged", left)}
