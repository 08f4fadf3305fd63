"""How changes at Kantata are noticed: the feed with its lateness, and the poll that finds what it lost."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from contracts.events.kinds import PROJECT_CHANGED
from contracts.problems import VendorRejected
from kit import clock
from system_apis.connector import ChangeSource
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open
from tests.support.listening import Cursors, Inbox, running
from tests.support.sandboxes import Account
from tests.system_apis.kantata.drafts import project_draft

# Real days: the account's clock and ours are stopped together.
BEGIN = dt.datetime(2026, 12, 2, 10, tzinfo=dt.UTC)


class Time:
    """The account's clock and ours, moved together."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def stop(self) -> None:
        clock.set(BEGIN)
        await self._account.freeze_clock(BEGIN.isoformat())

    async def advance(self, seconds: float) -> None:
        clock.advance(seconds)
        await self._account.advance_clock(seconds)


Sources = tuple[ChangeSource, ChangeSource]


@pytest.fixture
async def time(account: Account) -> AsyncIterator[Time]:
    time = Time(account)
    await time.stop()
    yield time
    clock.real()


@pytest.fixture
def profile(profile: KantataProfile) -> KantataProfile:
    """The story's, looking all the time."""
    changes = msgspec.structs.replace(profile.changes, feed_seconds=0.02, poll_seconds=0.02)
    return msgspec.structs.replace(profile, changes=changes)


@pytest.fixture
async def sources(open_kantata: Open, profile: KantataProfile) -> Sources:
    feed, poll = (await open_kantata(profile)).changes
    assert (feed.name, poll.name) == ("kantata-main:feed", "kantata-main:poll")
    return feed, poll


async def looked(account: Account, path: str = "subscribed_events") -> None:
    """Until the feed was read once more, or another list."""
    before = (await account.count_calls(path=path))["count"]
    while (await account.count_calls(path=path))["count"] < before + 2:
        pass  # each look is a call


async def test_a_persons_change_is_told(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """With the project's status as it is, when it was, and in the project's order."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(3600)
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[0], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:feed" in kept)
        await time.advance(60)
        await account.edit("workspaces", made.id, status_key=310)
        told = await inbox.until(lambda item: item.change.values.get("status") == "active")
    assert (told.type, told.key) == (PROJECT_CHANGED, f"kantata-main:project:{made.id}")
    assert (told.change.instance, told.change.object, told.change.id) == ("kantata-main", "project", made.id)
    assert told.change.changed_at == told.occurred_at == BEGIN + dt.timedelta(seconds=3660)


async def test_our_own_change_is_recognised(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """What our user did is marked as an echo; what a person did is not."""
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[0], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:feed" in kept)
        await time.advance(60)
        ours = await psa.put_project("prj-1", project_draft(client_id))
        await inbox.until(lambda item: item.change.id == ours.id)
        assert all(item.change.by_us for item in inbox.items)


async def test_lateness_disorder_and_repetition_lose_and_double_nothing(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """An event that shows up behind the watermark is found; one seen before is not told again."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(3600)
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[0], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:feed" in kept)
        await account.set_notifications("delay", times=1)
        await time.advance(60)
        await account.edit("workspaces", made.id, title="Late")
        await time.advance(300)
        await account.edit("workspaces", made.id, title="Later")
        await inbox.until(lambda item: item.occurred_at == BEGIN + dt.timedelta(seconds=3960))
        await account.flush_notifications()
        await inbox.until(lambda item: item.occurred_at == BEGIN + dt.timedelta(seconds=3660))
        await looked(account)
    assert len(inbox.items) == 2
    assert inbox.repeated == []


async def test_a_reader_that_was_started_again_repeats_within_the_overlap_only(
    psa: Any,
    account: Account,
    client_id: str,
    sources: Sources,
    time: Time,
    open_kantata: Open,
    profile: KantataProfile,
) -> None:
    """The same event has the same dedupe id, so that the inbox knows it."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(3600)
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[0], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:feed" in kept)
        await time.advance(60)
        await account.edit("workspaces", made.id, title="Renamed")
        await inbox.until(lambda item: item.change.id == made.id)
    again, _ = (await open_kantata(profile)).changes
    async with running(again, inbox, cursors):
        await inbox.until_repeated()
    assert len(inbox.items) == 1


async def test_a_feed_that_was_left_too_long_reports_every_project(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """The vendor keeps nine days of events; older news only the projects themselves can tell."""
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[0], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:feed" in kept)
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(10 * 86400)
    async with running(sources[0], inbox, cursors):
        told = await inbox.until(lambda item: item.change.id == made.id)
        await cursors.until(lambda kept: "2026-12-12" in kept["kantata-main:feed"])
    assert told.dedupe_id.startswith(f"project:{made.id}:")


async def test_the_poll_finds_what_the_feed_lost(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """A lost event's change shows in the list of changed projects, once, under the project's version."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(3600)
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[1], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:poll" in kept)
        await account.set_notifications("lose", times=1)
        await time.advance(60)
        await account.edit("workspaces", made.id, status_key=520)
        told = await inbox.until(lambda item: item.change.values.get("status") == "closed")
        await looked(account, "workspaces")
    assert told.change.version == (await psa.get_project(made.id)).version
    assert len(inbox.items) == 1


async def test_a_throttled_account_is_waited_for(
    psa: Any, account: Account, client_id: str, sources: Sources, time: Time
) -> None:
    """The source goes on when the account answers again."""
    made = await psa.put_project("prj-1", project_draft(client_id))
    await time.advance(3600)
    await account.add_fault({"status": 429}, times=6, method="GET", path="/workspaces")
    inbox, cursors = Inbox(), Cursors()
    async with running(sources[1], inbox, cursors):
        await cursors.until(lambda kept: "kantata-main:poll" in kept)
        await time.advance(60)
        await account.edit("workspaces", made.id, title="After all")
        await inbox.until(lambda item: item.change.id == made.id)


async def test_a_refused_feed_is_told(open_kantata: Open, profile: KantataProfile, account: Account) -> None:
    """A user that is no administrator may not read the feed: the source fails, and says so."""
    env = {**account.env, "KANTATA_TOKEN": account.credentials["collaborator_token"]}
    feed, _ = (await open_kantata(profile, environ=env)).changes
    with pytest.raises(VendorRejected, match="permission"):
        async with running(feed, Inbox(), Cursors()) as task:
            await task
