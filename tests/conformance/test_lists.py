"""Whatever the vendor: lists, finds and child pages are whole or fail; never empty or short for an error."""

from functools import partial
from typing import Any

import pytest

from contracts.problems import ContractViolation, Invalid, Problem, VendorUnavailable
from sandbox.core.golden import Spoil
from tests.conformance.common import MARK, fails_as, pages, until_done
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.nouns import NOUNS, READS
from tests.conformance.records import filled, make, make_all, make_many, make_odd, plain

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)
MANY = 205
HTML = "<html><body>words of the vendor</body></html>"
OFF_SCHEMA: dict[str, dict[str, Any]] = {
    "no JSON": {"answer": {"status": 200, "body": MARK}},
    "a list": {"answer": {"status": 200, "body": []}},
    "other words": {"answer": {"status": 200, "body": {"said": MARK}}},
    "a page": {"answer": {"status": 200, "body": HTML, "media_type": "text/html"}},
}
AWAY: dict[str, dict[str, Any]] = {
    "throttled": {"status": 429},
    "broken": {"status": 500},
    "away": {"status": 503},
    "cut": {"drop": "before"},
    "cut short": {"drop": "after"},
    "an error page": {"html": 502},
}


@here
async def test_a_list_longer_than_a_page_is_whole(connector: ConnectorUnderTest) -> None:
    """More than the largest page, all of one instant: each once, oldest first, in pages of any size."""
    for name, noun in NOUNS[connector.capability].items():
        if noun.list is None:
            continue
        ids = await make_many(connector, name, MANY)
        list_page = noun.list(connector.api, ids)
        whole = await pages(list_page, 200)
        assert len(whole) > MANY, f"{len(whole)} of {name}"
        assert [item.updated_at for item in whole] == sorted(item.updated_at for item in whole)
        assert await pages(list_page, 67) == whole, name
        assert len((await list_page()).items) == 50, "a page has 50, where nothing else is asked for"


@here
async def test_an_odd_record_is_left_out_of_its_list_and_named(connector: ConnectorUnderTest) -> None:
    """The others are listed, whatever the vendor."""
    for name, noun in NOUNS[connector.capability].items():
        if noun.list is None or f"odd:{name}" in connector.golden.unseen:
            continue
        assert connector.golden.nouns[name].odd, (
            f"the stand of {connector.vendor} does not say how a {name} is odd"
        )
        ids = await make_many(connector, name, 3)
        list_page = noun.list(connector.api, ids)
        well = await pages(list_page, 200)
        odd = await make_odd(connector, name, ids)
        page = await list_page(limit=200)
        assert list(page.items) == well, name
        assert [each.id for each in page.left_out] == [odd], name


@here
async def test_children_longer_than_a_page_are_whole(connector: ConnectorUnderTest) -> None:
    """What a record consists of may come in pages: all of them are read, and the failure of one is told."""
    for name, forms in connector.golden.nouns.items():
        noun = NOUNS[connector.capability].get(name)
        for children in forms.children if noun else ():
            ids = await make(connector, forms.whole, key=f"enf-{children.field}")
            rows = [filled(children.fields, ids, number) for number in range(children.count)]
            await connector.account.seed({children.table: rows})
            if children.limits:
                await connector.account.set_limits(**children.limits)
            found = plain(await noun.read(connector.api, ids))[children.field]
            assert len(found) == children.count + len(forms.whole.reads[children.field]), children.field
            assert len({child["id"] for child in found}) == len(found)
            await spoiled_later(
                connector, children.spoils, lambda noun=noun, ids=ids: noun.read(connector.api, ids)
            )


async def spoiled_later(connector: ConnectorUnderTest, call: Spoil, read: Any) -> None:
    """The first page is well, and the second one is not."""
    impatient = {"throttled": AWAY["throttled"], "cut": AWAY["cut"]}
    for kind, effects in ((VendorUnavailable, impatient), (ContractViolation, OFF_SCHEMA)):
        for what, effect in effects.items():
            await connector.account.add_fault(effect, method=call.method, path=call.path, skip=1, times=None)
            await told_as(connector, kind, read, f"{what} on the second page of {call.path}")
            await until_done(read)


async def told_as(connector: ConnectorUnderTest, kind: type[Problem], read: Any, what: str) -> None:
    """The problem is of this kind; the account is well again afterwards."""
    try:
        await fails_as(connector, kind, read)
    except pytest.fail.Exception:
        raise AssertionError(f"no problem: {what}") from None
    except AssertionError as fault:
        raise AssertionError(f"{what}: {fault}") from fault
    finally:
        await connector.account.clear_faults()


@here
async def test_a_spoiled_read_is_told(connector: ConnectorUnderTest) -> None:
    """Every read, list and find, in each of its calls: throttled, failing, cut, off its schema, HTML."""
    ids = await make_all(connector)
    api = await connector.open(attempts=1)
    reads = READS[connector.capability]
    missing = reads.keys() - connector.golden.calls.keys()
    assert not missing, (
        f"the stand of {connector.vendor} does not say what spoils {', '.join(sorted(missing))}"
    )
    for operation, act in reads.items():
        genuine = await act(api, ids)
        for call in connector.golden.calls[operation]:
            broken = {"off its schema": {"answer": {"status": 200, "body": call.broken}}}
            for kind, effects in ((ContractViolation, OFF_SCHEMA | broken), (VendorUnavailable, AWAY)):
                for ill, effect in effects.items():
                    await connector.spoil((call.method, call.path), effect, times=None)
                    what = f"{operation}, {ill} at {call.path}"
                    await told_as(connector, kind, lambda act=act: act(api, ids), what)
            assert await until_done(lambda act=act: act(api, ids)) == genuine, operation


@here
async def test_a_later_page_that_fails_is_no_end(connector: ConnectorUnderTest) -> None:
    """A list whose second page fails is told as failing, and goes on from there afterwards."""
    for name, noun in NOUNS[connector.capability].items():
        if noun.list is None:
            continue
        ids = await make_many(connector, name, 3)
        list_page = noun.list(await connector.open(attempts=1), ids)
        whole = await pages(noun.list(connector.api, ids), 200)
        first = await list_page(limit=2)
        again = partial(list_page, cursor=first.next_cursor, limit=2)
        for call in connector.golden.calls[f"list_{plural(name)}"]:
            for effect in (AWAY["throttled"], AWAY["an error page"]):
                await connector.spoil((call.method, call.path), effect, times=None)
                await told_as(connector, VendorUnavailable, again, f"the second page of {name}")
        second = await until_done(again)
        assert [*first.items, *second.items] == whole[:4]


def plural(noun: str) -> str:
    return "opportunities" if noun == "opportunity" else f"{noun}s"


@here
async def test_a_cursor_of_another_list_is_refused(connector: ConnectorUnderTest) -> None:
    """No page begins there, and nothing else is given instead."""
    for name, noun in NOUNS[connector.capability].items():
        if noun.list is None:
            continue
        ids = await make(connector, connector.golden.nouns[name].whole)
        for cursor in ("bm9ib2R5", "x", "A" * 400):
            with pytest.raises(Invalid):
                await noun.list(connector.api, ids)(cursor=cursor)
