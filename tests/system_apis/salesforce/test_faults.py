"""tests: what happens when the Salesforce stand-in fails, refuses, forgets us or answers nonsense."""

import asyncio

import msgspec
import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.problems import (
    ContractViolation,
    VendorDoubtful,
    VendorRejected,
    VendorUnavailable,
)
from kit import context
from kit.http import VendorAnswer
from system_apis.platforms.salesforce_org import soql
from system_apis.platforms.salesforce_org.errors import read_error
from system_apis.vendors.salesforce.client import queries
from tests.support.listening import Cursors, Inbox
from tests.system_apis.salesforce.conftest import one

LINK = ProjectLink(project_id="prj_1", status="active")


@pytest.fixture
async def deal(org):
    return (await one(org, "Opportunity", "Globex data platform"))["Id"]


def answers(status, *errors):
    return {"answer": {"status": status, "body": list(errors)}}


async def test_a_dead_token_is_renewed_once(org, instance, deal):
    """A session that ends in the middle costs one login and one repeated call."""
    crm = instance.capabilities["crm"]
    await crm.get_opportunity(deal)
    await org.clear_calls()
    await org.add_fault({"expire_token": True}, path="/query")
    assert (await crm.get_opportunity(deal)).id == deal
    assert [call["status"] for call in await org.calls()] == [401, 200, 200]


async def test_a_session_that_always_dies_is_no_loop(org, instance, deal):
    """An org that takes no session is left alone after one new login."""
    refusal = {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    await instance.capabilities["crm"].get_opportunity(deal)
    await org.clear_calls()
    await org.add_fault(answers(401, refusal), path="/query", times=None)
    with pytest.raises(VendorUnavailable) as caught:
        await instance.capabilities["crm"].get_opportunity(deal)
    assert caught.value.retry_after == 30
    assert (await org.count_calls(path="/query"))["count"] == 2


@pytest.mark.parametrize("effect", [{"status": 503}, {"status": 429}, {"html": 502}, {"drop": "before"}])
async def test_reads_are_repeated(org, instance, deal, effect):
    """A read that failed in passing is sent again."""
    await org.add_fault(effect, path="/query", times=2)
    assert (await instance.capabilities["crm"].get_opportunity(deal)).id == deal


@pytest.mark.parametrize(
    "effect",
    [
        {"status": 503, "when": "before"},
        {"status": 503, "when": "after"},
        {"status": 429, "when": "after"},
        {"drop": "before"},
        {"drop": "after"},
    ],
)
async def test_writes_are_repeated_without_harm(org, instance, deal, effect):
    """A write that failed before or after its effect stands once at the end, and is told as it stands."""
    await org.advance_clock(5)  # so that a save can be told from the one before, whole seconds apart
    await org.add_fault(effect, path="/composite")
    linked = await instance.capabilities["crm"].put_project_link(deal, LINK)
    assert (await org.record("Opportunity", deal))["Project_Id__c"] == "prj_1"
    assert linked == await instance.capabilities["crm"].get_opportunity(deal)


async def test_a_write_without_answer_is_doubtful(org, open_org, deal):
    """A write of which nothing is heard may have happened, and that is what is said."""
    async with open_org(limits={"attempts": 1}) as instance:
        await org.add_fault({"drop": "after"}, path="/composite")
        with pytest.raises(VendorDoubtful):
            await instance.capabilities["crm"].put_project_link(deal, LINK)
        await org.clear_calls()
        await instance.capabilities["crm"].put_project_link(deal, LINK)
        assert (await org.count_calls(path="/composite"))["count"] == 0


async def test_a_save_in_between_is_noticed(org, instance, deal):
    """What somebody saved between our read and our write is read again first."""
    await org.advance_clock(5)
    held = await org.hold("before", path="/composite")
    writing = asyncio.create_task(instance.capabilities["crm"].put_project_link(deal, LINK))
    assert await held.wait()
    await org.edit("Opportunity", deal, NextStep="call them", Project_Url__c="https://by.hand")
    await org.clear_calls()
    await held.release()
    linked = await writing
    stored = await org.record("Opportunity", deal)
    assert (stored["NextStep"], stored["Project_Id__c"], stored["Project_Url__c"]) == (
        "call them",
        "prj_1",
        None,
    )
    assert linked == await instance.capabilities["crm"].get_opportunity(deal)
    assert (await org.count_calls(path="/composite"))["count"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {"records": [{"Id": 5}], "done": True},
        {"records": None, "done": True},
        {"totalSize": 1},
        "<html>hello</html>",
        "",
    ],
)
async def test_off_schema_answers(org, instance, deal, body):
    """An answer that is not what the vendor promised is a contract violation, never a half-read deal."""
    await org.add_fault({"answer": {"status": 200, "body": body}}, path="/query")
    with pytest.raises(ContractViolation) as caught:
        await instance.capabilities["crm"].get_opportunity(deal)
    assert caught.value.instance == "salesforce-main"
    assert "hello" not in caught.value.detail


async def test_an_odd_row_is_left_out_and_named(org, instance, deal):
    """The other deals are listed, and the odd one named; read alone it is refused."""
    crm = instance.capabilities["crm"]
    whole = await crm.list_opportunities(limit=200)
    client = instance.client
    sent = await client._send(
        "GET",
        f"{client._data}/query",
        params={"q": queries.opportunities(instance.profile, soql.both(), limit=200)},
    )
    body = sent.json(dict)
    odd = next(record for record in body["records"] if record["Id"] == deal)
    odd["Name"] = None
    await org.add_fault({"answer": {"status": 200, "body": body}}, path="/query", times=None)
    page = await crm.list_opportunities(limit=200)
    assert [item.id for item in page.items] == [item.id for item in whole.items if item.id != deal]
    assert [(each.id, "$.Name" in each.why) for each in page.left_out] == [(deal, True)]


async def test_a_locked_row_is_tried_again_later(org, instance, deal):
    """A row lock is matched by its code, whatever its status, and may be retried."""
    lock = {"message": "unable to obtain exclusive access to this record", "errorCode": "UNABLE_TO_LOCK_ROW"}
    for status in (400, 500):
        await org.add_fault(answers(status, lock), path="/query")
    assert (await instance.capabilities["crm"].get_opportunity(deal)).id == deal


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY",
            "Sync: UNABLE_TO_LOCK_ROW, unable to obtain",
            VendorUnavailable,
        ),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Sync: attempt to de-reference a null", VendorRejected),
        ("REQUEST_RUNNING_TOO_LONG", "Your request was running for too long", VendorUnavailable),
        ("API_CURRENTLY_DISABLED", "API is currently disabled", VendorUnavailable),
        ("API_DISABLED_FOR_ORG", "API is not enabled for this Organization", VendorRejected),
        ("NEW_CODE", "The service is temporarily unavailable, try again later", VendorUnavailable),
        ("NEW_CODE", "No such thing", VendorRejected),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Do not try again without approval", VendorRejected),
    ],
)
def test_what_passes_is_not_final(code, message, kind):
    """A refusal that may end by itself is retried: by its code, a lock in its sentence, else by its words."""
    body = msgspec.json.encode([{"message": message, "errorCode": code}])
    assert type(read_error(VendorAnswer("salesforce-main", "PATCH", "/x", 400, {}, body))) is kind


async def test_the_vendors_refusal(org, instance, deal):
    """A validation rule's refusal names the field and the request id, and quotes the firm's own words."""
    message = "Ask Bob\x1b[31m \nfirst, “please”"
    rule = {"condition": "Activation_Status__c = 'active'", "message": message, "field": "NextStep"}
    await org.change_schema({"object": "Opportunity", "validation_rule": rule})
    with pytest.raises(VendorRejected) as caught:
        await instance.capabilities["crm"].put_project_link(deal, LINK)
    problem = caught.value
    assert [fault.field for fault in problem.errors] == ["NextStep"]
    assert problem.errors[0].code == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert problem.vendor_request_id
    assert problem.detail.endswith('. It says: “Ask Bob [31m first, "please"”')


async def test_a_removed_field(org, instance, deal):
    """A field that disappears from the org is the administrator's matter, said so."""
    await org.change_schema({"object": "Opportunity", "remove_field": "Rate_Card__c"})
    with pytest.raises(VendorRejected, match="INVALID_FIELD"):
        await instance.capabilities["crm"].get_opportunity(deal)


async def test_used_up_calls_are_not_hammered(org, open_org, deal):
    """Out of its daily calls the org is asked once, and we are told to come much later."""
    async with open_org() as instance:
        await instance.client._session.identity()
        limit = await org.limits()
        await org.set_limits(daily_api_requests=10, used_api_requests=10)
        await org.clear_calls()
        with pytest.raises(VendorUnavailable) as caught:
            await instance.capabilities["crm"].get_opportunity(deal)
        assert caught.value.retry_after >= 300
        with pytest.raises(VendorUnavailable):
            await instance.capabilities["crm"].get_opportunity(deal)
    assert limit
    assert (await org.count_calls(path="/query"))["count"] <= 2


async def test_people_keep_their_share(org, open_org, deal):
    """Background work leaves the day's last calls to people, and the vendor refuses nobody."""
    await org.set_limits(daily_api_requests=20, used_api_requests=0)
    await org.clear_calls()
    async with open_org(limits={"daily": 20, "reserve_daily": 5, "recheck_seconds": 300.0}) as instance:
        crm = instance.capabilities["crm"]
        batch = context.Context(correlation_id="cor_batch", lane="batch")
        with context.use(batch):
            done = await asyncio.gather(
                *(crm.get_opportunity(deal) for _ in range(30)), return_exceptions=True
            )
        with context.use(context.Context(correlation_id="cor_person")):
            assert (await crm.get_opportunity(deal)).id == deal
    assert all(isinstance(one, VendorUnavailable) for one in done if isinstance(one, BaseException))
    went = [call for call in await org.calls() if "/query" in call["path"]]
    assert len(went) <= 16
    assert {call["status"] for call in went} == {200}


async def test_a_refused_login(org, open_org):
    """A login that the vendor refuses is the administrator's matter and is not tried in a loop."""
    async with open_org(connection={"username": "nobody@nowhere.example"}) as instance:
        for _ in range(3):
            with pytest.raises(VendorRejected, match="refused our login"):
                await instance.capabilities["crm"].list_opportunities()
    assert (await org.count_calls(path="oauth2/token"))["count"] <= 1


@pytest.mark.parametrize(
    "locator", ["@evil.example/services/data", ".evil.example/", "//evil.example/x", "/\\evil"]
)
async def test_a_next_page_is_at_the_orgs_own_address(org, instance, locator):
    """Nothing is asked of another host, whatever an answer names as its next page."""
    stage = {"MasterLabel": "Won", "ApiName": "Won", "IsWon": True, "IsClosed": True}
    body = {"records": [stage], "done": False, "nextRecordsUrl": locator}
    await org.add_fault({"answer": {"status": 200, "body": body}}, path="/query", times=None)
    with pytest.raises(ContractViolation, match="another address"):
        await instance.client.stages()


async def test_a_long_answer_that_never_ends(org, instance):
    """A locator that leads to itself, and a poll's page that ignores our place, are contract violations."""
    stage = {"MasterLabel": "Won", "ApiName": "Won", "IsWon": True, "IsClosed": True}
    again = {"done": False, "nextRecordsUrl": "/services/data/v60.0/query/01g-2000"}
    body = {"records": [stage], **again}
    await org.add_fault({"answer": {"status": 200, "body": body}}, path="/query", times=None)
    async with asyncio.timeout(20):
        with pytest.raises(ContractViolation, match="same page"):
            await instance.client.stages()
    await org.clear_faults()
    size = instance.profile.changes.page_size
    at = "2030-01-01T00:00:00.000+0000"
    stamps = {"SystemModstamp": at, "LastModifiedDate": at, "CreatedDate": at, "IsDeleted": False}
    record = {"Id": "001000000000001AAA", **stamps}
    body = {"records": [record] * size, "done": True}
    await org.add_fault({"answer": {"status": 200, "body": body}}, path="/queryAll", times=None)
    poll = next(source for source in instance.changes if source.name.endswith(":poll"))
    async with asyncio.timeout(20):
        with pytest.raises(ContractViolation, match="same page"):
            await poll.look(Inbox(), Cursors())
