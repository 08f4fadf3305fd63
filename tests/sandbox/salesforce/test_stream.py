"""Change notifications at the Salesforce stand-in: the gRPC stream, its places, bitmaps and failures."""

import asyncio
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import grpc.aio
import pytest
from fastavro import parse_schema, schemaless_writer

from sandbox.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub
from tests.support.sandboxes import SandboxRefused

from .conftest import fields_of

TOPIC = "/data/OpportunityChangeEvent"


@pytest.fixture
async def account(salesforce_sandbox):
    """Keep-alives come soon here; the vendor's 270 seconds are the default."""
    return await salesforce_sandbox.create_account(keep_alive_seconds=0.2)


@pytest.fixture
async def stream(account, api, streams):
    return await streams(account, api.token).ready()


async def deal_of(account, name="Globex data platform"):
    return next(r for r in await account.records("Opportunity") if r["Name"] == name)


async def test_a_deal_is_closed(account, stream):
    """Closing a deal is told once: header, changed fields as bitmap, and only what changed."""
    deal = await deal_of(account)
    await account.edit("Opportunity", deal["Id"], StageName="Closed Won")
    [(place, schema, event)] = await stream.read()
    header = event["ChangeEventHeader"]
    assert (header["entityName"], header["changeType"]) == ("Opportunity", "UPDATE")
    assert header["recordIds"] == [deal["Id"]]
    assert header["changeOrigin"] == "com/salesforce/api/soap/67.0;client=SfdcInternalAPI/"
    changed = set(fields_of(schema, header["changedFields"]))
    assert {"StageName", "IsWon", "IsClosed", "Probability", "LastModifiedDate"} <= changed
    assert changed == {k for k, v in event.items() if v is not None} - {"ChangeEventHeader"}
    assert (event["StageName"], event["IsWon"], event["Probability"]) == ("Closed Won", True, 100.0)
    assert len(place) >= 8
    assert header["nulledFields"] == header["diffFields"] == []


async def test_the_bitmap_is_the_vendors(account, api, stream):
    """A bitmap is hex, bits from the right in the schema's order; a compound has its own after its place."""
    await stream.call.write(pb.FetchRequest(num_requested=1))
    accounts = stream.stub.Subscribe(metadata=stream.metadata)
    await accounts.write(pb.FetchRequest(topic_name="/data/AccountChangeEvent", num_requested=5))
    assert not (await accounts.read()).events
    stream.call = accounts
    record_id = (await account.records("Account"))[0]["Id"]
    await api.send("PATCH", f"/sobjects/Account/{record_id}", {"BillingCity": "Salem", "BillingStreet": None})
    [(_, schema, event)] = await stream.read()
    order = [f["name"] for f in schema["fields"]]
    place = order.index("BillingAddress")
    changed = event["ChangeEventHeader"]["changedFields"]
    expected = sum(1 << order.index(n) for n in ("LastModifiedDate", "LastModifiedById"))
    digits = f"{expected:X}"
    assert changed == [f"0x{digits.zfill(len(digits) + len(digits) % 2)}", f"{place}-0x03"]
    assert event["ChangeEventHeader"]["nulledFields"] == [f"{place}-0x01"]
    assert event["BillingAddress"]["City"] == "Salem"


async def test_an_echo_can_be_recognised(api, stream):
    """A change by the API names the client that it said it was, and the integration user."""
    api.headers["Sforce-Call-Options"] = "client=our-system"
    deal = {"Name": "New", "StageName": "Prospecting", "CloseDate": "2027-01-31", "Amount": 12.5}
    record_id = (await api.post("/sobjects/Opportunity", deal))["id"]
    event = await stream.one()
    header = event["ChangeEventHeader"]
    assert header["changeOrigin"] == "com/salesforce/api/rest/66.0;client=our-system"
    assert (header["changeType"], header["recordIds"], header["changedFields"]) == ("CREATE", [record_id], [])
    assert header["commitUser"].startswith("005")
    midnight = datetime(2027, 1, 31, tzinfo=UTC).timestamp() * 1000
    assert (event["CloseDate"], event["Amount"], event["IsWon"]) == (midnight, 12.5, False)


async def test_resume_after_a_place(account, api, streams, stream):
    """A new subscription after a place gets what came later, in order, and places do not count by one."""
    deal = await deal_of(account)
    for step in ("one", "two", "three"):
        await account.edit("Opportunity", deal["Id"], NextStep=step)
    seen = []
    while len(seen) < 3:
        seen += await stream.read()
    places = [int.from_bytes(place[:8], "big") for place, _, _ in seen]
    assert places == sorted(places)
    assert places[2] - places[0] > 2
    again = await streams(account, api.token).open(replay_preset=pb.CUSTOM, replay_id=seen[0][0])
    assert [e["NextStep"] for _, _, e in await again.read()] == ["two", "three"]
    whole = await streams(account, api.token).open(replay_preset=pb.EARLIEST)
    assert len(await whole.read()) == 3


async def test_resume_after_the_first_8_bytes_of_a_place(account, api, streams):
    """A client that kept 8 bytes of an id as a number, as the common Node client does, resumes as well."""
    deal = await deal_of(account)
    for step in ("one", "two"):
        await account.edit("Opportunity", deal["Id"], NextStep=step)
    [(place, _, _), _] = await (await streams(account, api.token).open(replay_preset=pb.EARLIEST)).read()
    kept = int.from_bytes(place[:8], "big").to_bytes(8, "big")
    again = await streams(account, api.token).open(replay_preset=pb.CUSTOM, replay_id=kept)
    assert (await again.one())["NextStep"] == "two"


async def test_the_service_has_a_port_with_tls(account, api):
    """A gRPC client that trusts the printed authority alone is served; one that does not is no client."""
    known = account.credentials
    metadata = (
        ("accesstoken", api.token), ("instanceurl", known["instance_url"]), ("tenantid", known["org_id"]),
    )  # fmt: skip
    trusted = await asyncio.to_thread(Path(account.env["SALESFORCE_CA_FILE"]).read_bytes)
    endpoint = account.env["SALESFORCE_PUBSUB_TLS_ENDPOINT"]
    for name in (endpoint, endpoint.replace("127.0.0.1", "localhost")):
        async with grpc.aio.secure_channel(name, grpc.ssl_channel_credentials(trusted)) as channel:
            topic = await PubSubStub(channel).GetTopic(pb.TopicRequest(topic_name=TOPIC), metadata=metadata)
            assert topic.can_subscribe
    async with grpc.aio.secure_channel(endpoint, grpc.ssl_channel_credentials()) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await PubSubStub(channel).GetTopic(pb.TopicRequest(topic_name=TOPIC), metadata=metadata)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_flow_control(account, api, streams):
    """No more events come than were asked for, until more are asked for."""
    deal = await deal_of(account)
    for step in range(5):
        await account.edit("Opportunity", deal["Id"], NextStep=str(step))
    stream = await streams(account, api.token).open(wanted=2, replay_preset=pb.EARLIEST)
    assert len(await stream.read()) == 2
    quiet = await stream.call.read()
    assert (len(quiet.events), quiet.pending_num_requested) == (0, 0)
    await stream.more(3)
    assert [e["NextStep"] for _, _, e in await stream.read()] == ["2", "3", "4"]


async def test_keep_alive_moves_the_place_on(account, api, streams, stream):
    """A quiet stream tells its latest place, from which one may resume even days later."""
    await account.set_limits(session_seconds=10**9)
    await account.advance_clock(80 * 3600)
    latest = (await stream.call.read()).latest_replay_id
    for _ in range(2):
        latest = (await stream.call.read()).latest_replay_id
    again = await streams(account, api.token).open(replay_preset=pb.CUSTOM, replay_id=latest)
    assert (await again.call.read()).latest_replay_id == latest


async def test_places_older_than_72_hours_are_refused(account, api, streams, stream):
    """A place that is no longer kept, or never was one, ends the call with the vendor's code."""
    await account.set_limits(session_seconds=10**9)
    deal = await deal_of(account)
    await account.edit("Opportunity", deal["Id"], NextStep="old")
    [(place, _, _)] = await stream.read()
    await account.advance_clock(73 * 3600)
    prefix = "sfdc.platform.eventbus.grpc.subscription.fetch.replayid."
    for wrong in (place, b"nonsense", (10**9).to_bytes(8, "big") + b"\0\0"):
        stale = await streams(account, api.token).open(replay_preset=pb.CUSTOM, replay_id=wrong)
        assert await stale.failure() == ("INVALID_ARGUMENT", prefix + "corrupted")
    without = await streams(account, api.token).open(replay_preset=pb.CUSTOM)
    assert await without.failure() == ("INVALID_ARGUMENT", prefix + "validation.failed")


async def test_who_may_subscribe(account, api, streams):
    """A bad token or another org's id is UNAUTHENTICATED; an unknown topic is not found."""
    bad = await streams(account, api.token + "x").open()
    assert await bad.failure() == ("UNAUTHENTICATED", "sfdc.platform.eventbus.grpc.service.auth.error")
    other = streams(account, api.token)
    other.metadata = (*other.metadata[:2], ("tenantid", "00D000000000000AAA"))
    assert (await (await other.open()).failure())[0] == "UNAUTHENTICATED"
    for topic in ("/data/NothingChangeEvent", "/data/Opportunity"):
        unknown = await streams(account, api.token).open(topic)
        assert (await unknown.failure())[0] == "NOT_FOUND"
    greedy = await streams(account, api.token).open(wanted=0)
    assert (await greedy.failure())[1].endswith("fetch.requested.events.invalid")


async def test_topic_and_schema(account, api, streams):
    """A topic names its schema, whose uuid is its id; money is double, days and times are long."""
    stream = streams(account, api.token)
    topic = await stream.stub.GetTopic(pb.TopicRequest(topic_name=TOPIC), metadata=stream.metadata)
    assert (topic.can_subscribe, topic.can_publish) == (True, False)
    schema = await stream.schema(topic.schema_id)
    assert (schema["name"], schema["namespace"]) == ("OpportunityChangeEvent", "com.sforce.eventbus")
    assert schema["uuid"] == topic.schema_id
    types = {f["name"]: f["type"] for f in schema["fields"]}
    assert types["Amount"] == ["null", "double"]
    assert types["CloseDate"] == types["LastModifiedDate"] == ["null", "long"]
    assert not {"IsDeleted", "SystemModstamp", "Id", "Fiscal"} & set(types)
    await account.change_schema(
        {"object": "Opportunity", "add_field": {"name": "Extra__c", "type": "string"}}
    )
    later = await stream.stub.GetTopic(pb.TopicRequest(topic_name=TOPIC), metadata=stream.metadata)
    assert later.schema_id != topic.schema_id


async def test_told_in_bad_ways(account, stream):
    """Notifications can be lost, doubled, delayed and reordered, and sent again."""
    deal = await deal_of(account)

    async def change(step):
        await account.edit("Opportunity", deal["Id"], NextStep=step)

    async def steps(count):
        found = []
        while len(found) < count:
            found += [e["NextStep"] for _, _, e in await stream.read()]
        return found

    await account.set_notifications("lose", times=1)
    await change("lost")
    await account.set_notifications("duplicate", times=1, copies=3)
    await change("thrice")
    assert await steps(3) == ["thrice"] * 3
    await account.set_notifications("reorder", times=2)
    await change("first")
    await change("second")
    assert await steps(2) == ["second", "first"]
    await account.set_notifications("delay", times=1)
    await change("late")
    await change("soon")
    assert await steps(1) == ["soon"]
    assert await account.flush_notifications() == 1
    assert await steps(1) == ["late"]
    assert await account.redeliver_notifications(1) == 1
    assert await steps(1) == ["late"]


async def test_gap_events(account, stream):
    """A GAP event tells that a record changed, and nothing of it."""
    deal = await deal_of(account)
    await account.create(
        "ChangeEvent", entityName="Opportunity", changeType="GAP_UPDATE", recordIds=[deal["Id"]]
    )
    event = await stream.one()
    assert event["ChangeEventHeader"]["changeType"] == "GAP_UPDATE"
    assert event["ChangeEventHeader"]["recordIds"] == [deal["Id"]]
    assert event["StageName"] is None


async def test_an_event_of_many_records_names_none(account, stream):
    """Where very many change alike, an event has `006*` for their ids and none of their data."""
    await account.create("ChangeEvent", entityName="Opportunity", changeType="UPDATE", recordIds=["006*"])
    event = await stream.one()
    assert event["ChangeEventHeader"]["recordIds"] == ["006*"]
    assert event["StageName"] is None
    bad = [
        ("UPDATE", []), ("GAP_UPDATE", ["001*"]), ("GAP_UPDATE", ["006"]), ("UPDATE", ["006*", "006*"]),
    ]  # fmt: skip
    for kind, ids in bad:
        with pytest.raises(SandboxRefused):
            await account.create("ChangeEvent", entityName="Opportunity", changeType=kind, recordIds=ids)


async def test_nothing_undone_is_told(api, stream):
    """A transaction that is rolled back tells nothing; its neighbours share one key and count up."""
    opportunity = {"Name": "T", "StageName": "Prospecting", "CloseDate": "2027-01-31"}
    url = "/services/data/v66.0/sobjects/Opportunity"

    def step(name, body):
        return {"referenceId": name, "method": "POST", "url": url, "body": body}

    bad = {"allOrNone": True, "compositeRequest": [step("a", opportunity), step("b", {})]}
    await api.post("/composite", bad)
    good = {"allOrNone": True, "compositeRequest": [step("a", opportunity), step("b", opportunity)]}
    await api.post("/composite", good)
    headers = []
    while len(headers) < 2:
        headers += [e["ChangeEventHeader"] for _, _, e in await stream.read()]
    assert [h["sequenceNumber"] for h in headers] == [1, 2]
    assert len({h["transactionKey"] for h in headers}) == 1


async def test_the_service_can_be_away(account, api, streams, stream):
    """A stream breaks with UNAVAILABLE when the service goes, and resumes when it is back."""
    await account.set_limits(pubsub_available=False)
    assert (await stream.failure())[0] == "UNAVAILABLE"
    deal = await deal_of(account)
    await account.edit("Opportunity", deal["Id"], NextStep="meanwhile")
    await account.set_limits(pubsub_available=True)
    again = await streams(account, api.token).open(replay_preset=pb.EARLIEST)
    assert (await again.one())["NextStep"] == "meanwhile"


async def test_a_live_stream_outlasts_its_token(account, api, stream):
    """An expired token does not end a live stream; a new call with it is refused."""
    deal = await deal_of(account)
    await account.edit("Opportunity", deal["Id"], NextStep="before")
    assert (await stream.one())["NextStep"] == "before"
    await api.client.post("/services/oauth2/revoke", data={"token": api.token})
    await account.edit("Opportunity", deal["Id"], NextStep="still here")
    assert (await stream.one())["NextStep"] == "still here"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream.stub.GetTopic(pb.TopicRequest(topic_name=TOPIC), metadata=stream.metadata)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_platform_events(api, account, streams):
    """A platform event is published by REST or by gRPC, and subscribers get it."""
    stream = await streams(account, api.token).open("/event/Project_Notice__e")
    assert not (await stream.call.read()).events
    body = await api.post("/sobjects/Project_Notice__e", {"Message__c": "hello"})
    assert body["success"]
    assert body["errors"][0]["statusCode"] == "OPERATION_ENQUEUED"
    [(_, schema, event)] = await stream.read()
    assert event["Message__c"] == "hello"
    out = BytesIO()
    schemaless_writer(out, parse_schema(schema), event | {"Message__c": "by gRPC"})
    producer = pb.ProducerEvent(id="mine", schema_id=schema["uuid"], payload=out.getvalue())
    request = pb.PublishRequest(topic_name="/event/Project_Notice__e", events=[producer])
    answer = await stream.stub.Publish(request, metadata=stream.metadata)
    assert answer.results[0].correlation_key == "mine"
    assert (await stream.one())["Message__c"] == "by gRPC"


async def test_two_orgs_keep_apart(salesforce_sandbox, account, login, streams, stream):
    """One org's change is not told to another's subscriber."""
    other = await salesforce_sandbox.create_account(keep_alive_seconds=0.2)
    elsewhere = await streams(other, await login(other)).ready()
    deal = await deal_of(account)
    await account.edit("Opportunity", deal["Id"], NextStep="ours")
    assert (await stream.one())["NextStep"] == "ours"
    assert not (await asyncio.wait_for(elsewhere.call.read(), 20)).events
