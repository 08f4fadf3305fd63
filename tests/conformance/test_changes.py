"""Whatever the vendor: each change is reported, be it missed, late or seen twice; old ones are not."""

import datetime as dt
from typing import Any

import pytest

from contracts.canonical.opportunity import ProjectLink
from contracts.events.kinds import OPPORTUNITY_WON, RECORD_UNREADABLE
from sandbox.core.golden import NounForms
from system_apis.app import Instance
from system_apis.connector import ordering_key
from tests.conformance.common import COARSE
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.listening import Inbox, Report
from tests.conformance.nouns import CLIENT, CUSTOMER, NOUNS, project
from tests.conformance.records import Ids, assert_reads, filled, make, make_odd, plain

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


def watched(connector: ConnectorUnderTest) -> list[tuple[str, NounForms]]:
    """The nouns whose changes the vendor shows: those that a person edits."""
    nouns = connector.golden.nouns
    return [(name, nouns[name]) for name in NOUNS[connector.capability] if nouns[name].edit]


async def now(connector: ConnectorUnderTest, seconds: float = 0) -> str:
    """The vendor's time, or a little before or after it."""
    told = (await connector.account.call("GET", "/clock"))["now"]
    return (dt.datetime.fromisoformat(told) + dt.timedelta(seconds=seconds)).isoformat()


async def record(connector: ConnectorUnderTest, forms: NounForms, key: str) -> Ids:
    return await make(connector, forms.whole, key=key, at_present=True)


async def edit(connector: ConnectorUnderTest, name: str, forms: NounForms, ids: Ids, **more: Any) -> None:
    """A person changes the record, some time after the change before."""
    table = next(step.table for step in forms.whole.steps if step.name == name)
    await connector.account.edit(table, ids[name], **{**forms.edit, **more})


@here
async def test_changes_are_reported_from_the_beginning_on(connector: ConnectorUnderTest) -> None:
    """A person's edit, by its record, key and time, and not as ours; nothing of what was there before."""
    for name, forms in watched(connector):
        inbox = Inbox()
        old = await record(connector, forms, f"enf-old-{name}")
        ids = await record(connector, forms, f"enf-new-{name}")
        await connector.account.advance_clock(5)
        await inbox.begin(connector.instance)
        await connector.account.advance_clock(5)
        await edit(connector, name, forms, ids)
        await heard(connector, inbox, ids[name], f"an edited {name}")
        found = await NOUNS[connector.capability][name].read(connector.api, ids)
        for report in inbox.of(ids[name]):
            fits(connector, name, report)
            assert abs(report.at - found.updated_at) <= COARSE, (report.at, found.updated_at)
        ours = [report.change.by_us for report in inbox.of(ids[name])]
        assert not (all if "person" in connector.golden.unseen else any)(ours), (
            "a person's change is not ours"
        )
        assert not inbox.of(old[name]), f"the {name} from before the beginning was reported"


async def heard(
    connector: ConnectorUnderTest, inbox: Inbox, ident: str, what: str, at: Instance | None = None
) -> None:
    """Until a change of that record is reported, by this process or another one."""
    await inbox.listen(at or connector.instance, lambda: bool(inbox.of(ident)), what)


def fits(connector: ConnectorUnderTest, name: str, report: Report) -> None:
    change = report.change
    assert (change.instance, change.object) == (connector.instance.profile.name, name)
    assert report.key == ordering_key(change.instance, name, change.id)
    assert report.type.startswith(f"enfilade.{name}.")
    assert change.changed_at == report.at


@here
async def test_what_was_missed_late_or_seen_twice_is_one_change(connector: ConnectorUnderTest) -> None:
    """While nobody listened; with an earlier time than the last one; read again by another process."""
    name, forms = watched(connector)[0]
    inbox = Inbox()
    missed, late, last = [await record(connector, forms, f"enf-{number}") for number in range(3)]
    await connector.account.advance_clock(40)
    await inbox.begin(connector.instance)
    await connector.account.advance_clock(40)
    await connector.account.set_notifications("lose", times=1)
    await edit(connector, name, forms, missed)  # nobody listens, and the notification is lost
    await inbox.listen(connector.instance, lambda: bool(inbox.of(missed[name])), f"a missed {name}")
    before = dict(inbox.positions)
    await connector.account.freeze_clock(await now(connector, -20))
    await connector.account.set_notifications("lose", times=1)
    await edit(connector, name, forms, late)
    await inbox.listen(connector.instance, lambda: bool(inbox.of(late[name])), f"a late {name}")
    seen = set(inbox.reports)
    inbox.positions = before
    await connector.account.advance_clock(60)
    await connector.account.set_notifications("normal")
    await edit(connector, name, forms, last)
    other = await connector.opened()
    await inbox.listen(other, lambda: bool(inbox.of(last[name])), f"an edited {name}")
    again = [report for ident, report in inbox.reports.items() if ident not in seen]
    twice = [report for report in again if report.change.id != last[name]]
    assert not twice, "the same change under another id"


@here
async def test_an_odd_record_is_reported_as_that_once(connector: ConnectorUnderTest) -> None:
    """By its record and its last change, beside the others'; not again by another process."""
    for name, forms in watched(connector):
        if not forms.odd:
            continue
        inbox = Inbox()
        ids = await record(connector, forms, f"enf-well-{name}")
        await connector.account.advance_clock(5)
        await inbox.begin(connector.instance)
        await connector.account.advance_clock(5)
        odd = await make_odd(connector, name, ids)
        await heard(connector, inbox, odd, f"an odd {name}")
        await edit(connector, name, forms, ids)
        await heard(connector, inbox, ids[name], f"the {name} beside an odd one", await connector.opened())
        report, *again = inbox.of(odd)
        assert not again, f"the odd {name} was reported again"
        assert report.type == RECORD_UNREADABLE
        assert report.change.values["why"], "nobody is told what is wrong"
        assert report.key == ordering_key(report.change.instance, name, odd)
        assert (report.change.object, report.change.changed_at) == (name, report.at)


@here
async def test_our_own_write_is_known_as_ours(connector: ConnectorUnderTest) -> None:
    """The change that our write causes is marked, so that no flow answers itself."""
    if "own write" in connector.golden.unseen:
        return
    _, forms = watched(connector)[0]
    inbox = Inbox()
    ids = await record(connector, forms, "enf-own")
    await connector.account.advance_clock(5)
    await inbox.begin(connector.instance)
    ours: set[str] = set()

    async def write() -> None:
        await connector.account.advance_clock(5)
        ours.add(await our_write(connector, ids))

    def reported() -> bool:
        return any(report.change.by_us for ident in ours for report in inbox.of(ident))

    await inbox.listen(connector.instance, reported, "our own write, as ours", again=write)


async def our_write(connector: ConnectorUnderTest, ids: Ids) -> str:
    """A write through the adapter that changes something each time; the id of its record."""
    api, number = connector.instance.opened.capabilities[connector.capability], await now(connector)
    match connector.capability:
        case "crm":
            link = ProjectLink(project_id=f"prj_{number}", status="active")
            return (await api.put_project_link(ids["opportunity"], link)).id
        case "erp":
            return (await api.put_customer("enf-ours", CUSTOMER)).id
        case _:
            owner = await api.put_client("enf-owner", CLIENT)
            return (await api.put_project(f"enf-{number[-20:-10].replace(':', '-')}", project(owner.id))).id


@here
@pytest.mark.parametrize("kind", ["deleted", "merged", "restored"])
async def test_what_became_of_a_record_is_reported(connector: ConnectorUnderTest, kind: str) -> None:
    """Deleted, merged or restored, by the whole of what is known of it, where the vendor shows it."""
    notice = connector.golden.notices.get(kind)
    if notice is None:
        reason = connector.golden.unseen.get(kind)
        assert reason, f"the stand of {connector.vendor} does not say what it reports of a {kind} record"
        pytest.skip(f"{connector.vendor}: {reason}")
    name, forms = notice.noun, connector.golden.nouns[notice.noun]
    table = next(step.table for step in forms.whole.steps if step.name == name)
    inbox, account = Inbox(), connector.account
    ids = await record(connector, forms, "enf-gone")
    other = (await record(connector, forms, "enf-remains"))[name]
    await account.advance_clock(5)
    await inbox.begin(connector.instance)
    await account.advance_clock(5)
    if kind == "merged":
        await account.merge(table, ids[name], other)
    if kind == "deleted":
        await account.delete(table, ids[name])

    async def restore() -> None:
        """Of this only a stream may say, which begins when it is ready."""
        await account.delete(table, ids[name])
        await account.restore(table, ids[name])

    def reported() -> list[Report]:
        return [report for report in inbox.of(ids[name]) if report.change.kind == kind]

    again = restore if kind == "restored" else None
    await inbox.listen(connector.instance, lambda: bool(reported()), f"a {kind} {name}", again)
    for report in reported():
        fits(connector, name, report)
        assert_reads(plain(report.change), filled(notice.reads, {**ids, "other": other}), f"a {kind} {name}")


@here
async def test_a_won_deal_is_an_event_of_its_own(connector: ConnectorUnderTest) -> None:
    """What starts the whole path; a change to any other stage does not."""
    if connector.capability != "crm":
        return
    forms = connector.golden.nouns["opportunity"]
    won = next(state for state in forms.states if state.reads.get("stage") == "won")
    lost = next(state for state in forms.states if state.reads.get("stage") == "lost")
    inbox = Inbox()
    first, second = [await record(connector, forms, f"enf-{number}") for number in range(2)]
    await connector.account.advance_clock(5)
    await inbox.begin(connector.instance)
    await connector.account.advance_clock(5)
    await edit(connector, "opportunity", forms, second, **lost.fields)
    await edit(connector, "opportunity", forms, first, **won.fields)

    def is_won() -> bool:
        return any(report.type == OPPORTUNITY_WON for report in inbox.of(first["opportunity"]))

    await inbox.listen(connector.instance, is_won, "a won deal")
    assert all(report.type != OPPORTUNITY_WON for report in inbox.of(second["opportunity"]))
