"""tests/kit: a list's cursor continues that list with the same filters, and no other."""

from typing import Any

import msgspec
import pytest

from contracts.problems import Invalid
from deploy.composition.interfaces import interfaces
from kit.database import decode_page, encode_page
from kit.operations import Bound, api_of, bind, bind_cursors

LISTS = [bound for interface in interfaces() for bound in bind(interface) if "cursor" in bound.parameters]
PLACE = encode_page("a", 1)
FILTERS = {"status": "open"}


class Page(msgspec.Struct, frozen=True):
    next_cursor: str | None = None


async def endless(cursor: str | None = None, **_: Any) -> Page:
    """A list without an end, which reads the cursors that it makes."""
    return Page(encode_page(*decode_page(cursor, tuple[str, int])) if cursor else PLACE)


def listed(bound: Bound, prefix: str = "") -> Any:
    return bind_cursors(bound, endless, prefix or api_of(bound.interface).prefix)


def test_every_cursor_comes_from_an_answer() -> None:
    """What takes a cursor answers with the next one under its one name."""
    assert len(LISTS) > 10
    assert all("next_cursor" in bound.answer.__struct_fields__ for bound in LISTS)


@pytest.mark.parametrize("bound", LISTS, ids=lambda bound: bound.operation_id)
async def test_a_cursor_leads_on_in_its_list_only(bound: Bound) -> None:
    """On every page of any size; not in another list, nor with other filters, nor at another instance."""
    page = await listed(bound)(**FILTERS, limit=1)
    page = await listed(bound)(**FILTERS, limit=2, cursor=page.next_cursor)
    strangers = [listed(other) for other in LISTS if other is not bound]
    calls = [(stranger, FILTERS) for stranger in strangers]
    calls += [(listed(bound), {}), (listed(bound), {"status": "done"}), (listed(bound, "/other"), FILTERS)]
    for call, filters in calls:
        with pytest.raises(Invalid, match="begin again without it") as refused:
            await call(**filters, cursor=page.next_cursor)
        assert [fault.pointer for fault in refused.value.errors] == ["/query/cursor"]


async def test_a_filter_at_its_default_is_no_filter() -> None:
    """Whether a caller names it or not, and whether the release that made the cursor had it or not."""
    flows = next(bound for bound in LISTS if bound.name == "list_flows")
    page = await listed(flows)(entity=None, hours=24)
    assert (await listed(flows)(cursor=page.next_cursor)).next_cursor == page.next_cursor


async def test_a_cursor_from_before_they_were_bound_leads_on() -> None:
    """It is the list's own place and no more; what is no cursor at all is refused."""
    assert (await listed(LISTS[0])(cursor=PLACE)).next_cursor
    for cursor in ("x", "c", "cAAAAAAAAAAA" + PLACE, "!"):
        with pytest.raises(Invalid):
            await listed(LISTS[0])(cursor=cursor)
