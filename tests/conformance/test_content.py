"""Whatever the vendor: a whole record reads as the whole, an empty one stays empty, every state is seen."""

from types import UnionType
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from sandbox.core.golden import Form, NounForms
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.nouns import NOUNS, NounUnderTest
from tests.conformance.records import (
    Ids,
    assert_reads,
    changed,
    differences,
    filled,
    make,
    make_state,
    plain,
    tables,
    with_changes,
)

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


def forms_of(connector: ConnectorUnderTest) -> list[tuple[str, NounUnderTest, NounForms]]:
    """The capability's nouns with the vendor's forms of each; it must have all."""
    nouns = NOUNS[connector.capability]
    missing = nouns.keys() - connector.golden.nouns.keys()
    assert not missing, f"the stand of {connector.vendor} has no forms of {', '.join(missing)}"
    return [(name, noun, connector.golden.nouns[name]) for name, noun in nouns.items()]


@pytest.mark.parametrize("connector", every_connector(), indirect=True)
async def test_a_whole_record_reads_as_the_whole(connector: ConnectorUnderTest) -> None:
    """Every canonical field, each as the vendor has it, alone and in its list."""
    for name, noun, forms in forms_of(connector):
        await reads_as(connector, name, noun, forms.whole)


@here
async def test_an_empty_record_stays_empty(connector: ConnectorUnderTest) -> None:
    """What the vendor does not have is absent: nothing is put in its place, alone and in the list."""
    for name, noun, forms in forms_of(connector):
        await reads_as(connector, name, noun, forms.empty)


async def reads_as(connector: ConnectorUnderTest, name: str, noun: NounUnderTest, form: Form) -> None:
    ids = await make(connector, form)
    expected = filled(form.reads, ids)
    found = await noun.read(connector.api, ids)
    assert_reads(plain(found), expected, name)
    assert await noun.read(connector.api, ids) == found, "the same record reads the same twice"
    if noun.list is not None:
        listed = await in_list(noun.list(connector.api, ids), found.id)
        assert_reads(plain(listed), with_changes(expected, filled(form.listed, ids)), f"{name} in its list")


async def in_list(list_page: Any, ident: str) -> Any:
    """The one of an id, wherever it is in the list."""
    cursor = None
    for _ in range(100):
        page = await list_page(cursor=cursor, limit=200)
        if one := next((item for item in page.items if item.id == ident), None):
            return one
        cursor = page.next_cursor
        assert cursor is not None, f"{ident} is not in the list"
    raise AssertionError("the list has no end")


@here
async def test_every_state_is_seen(connector: ConnectorUnderTest) -> None:
    """Stages, statuses, codes, codes that nobody mapped, and amounts of every size, each by its own word."""
    for name, noun, forms in forms_of(connector):
        if not forms.states:
            continue
        first = await make(connector, forms.whole)
        for state in forms.states:
            ids = await make_state(connector, name, forms, state, first)
            expected = filled(with_changes(forms.whole.reads, state.reads), ids)
            found = plain(await noun.read(connector.api, ids))
            assert_reads(found, expected, f"{name}, {state.name}")
            if noun.list is not None:
                listed = await in_list(noun.list(connector.api, ids), found["id"])
                shown = {k: v for k, v in forms.whole.listed.items() if k not in state.reads or v is None}
                assert_reads(
                    plain(listed),
                    with_changes(expected, filled(shown, ids)),
                    f"{name} in its list, {state.name}",
                )


@here
async def test_the_stand_shows_all_that_the_noun_can_say(connector: ConnectorUnderTest) -> None:
    """Each field is set in some record, and each word of a closed list is said, or the stand says why not."""
    for name, noun, forms in forms_of(connector):
        fields = {field.name: field for field in msgspec.structs.fields(noun.struct)}
        reads = [forms.whole.reads, *({**forms.whole.reads, **state.reads} for state in forms.states)]
        unset = {field for field in fields if not any(each.get(field) for each in reads)} - forms.lacks.keys()
        assert not unset, f"the stand sets no {', '.join(sorted(unset))} of {name}, and gives no reason"
        for field, info in fields.items():
            said = {str(each.get(field)) for each in reads}
            unsaid = {word for word in words_of(info.type) - said if f"{field}={word}" not in forms.lacks}
            assert not unsaid, f"no {name} of the stand has the {field} {', '.join(sorted(unsaid))}"


def words_of(kind: Any) -> set[str]:
    """The words that a field may have, where it has a closed list of them."""
    if get_origin(kind) is Literal:
        return set(get_args(kind))
    return (
        {word for each in get_args(kind) for word in words_of(each)}
        if get_origin(kind) is UnionType
        else set()
    )


@here
async def test_what_is_written_is_all_that_changes(connector: ConnectorUnderTest) -> None:
    """A draft becomes just these records at the vendor; once more, nothing; read back, it is the draft."""
    for name, noun, forms in forms_of(connector):
        if noun.put is None:
            continue
        ids = await make(connector, Form(forms.owners, {}, forms.empty.at))
        before = await tables(connector)
        made = await noun.put(connector.api, ids)
        ids = {**ids, "key": "enf-golden", name: made.id}
        assert_reads(
            await changed(connector, before), filled(dict(forms.written), ids), f"{name} at the vendor"
        )
        expected = filled(forms.read_back, ids)
        assert_reads(plain(made), expected, f"{name}, answered")
        assert_reads(plain(await noun.read(connector.api, ids)), expected, f"{name}, read back")
        await changes_nothing(connector, noun.put, ids, f"{name}, written again")
        if noun.undo is not None:
            after = await tables(connector)
            await noun.undo(connector.api, ids)
            assert_reads(await changed(connector, after), filled(dict(forms.undone), ids), f"{name}, undone")
            undone = plain(await noun.read(connector.api, ids))
            assert differences(undone, expected), f"{name}, undone, reads as before"
            await changes_nothing(connector, noun.undo, ids, f"{name}, undone again")


async def changes_nothing(connector: ConnectorUnderTest, act: Any, ids: Ids, what: str) -> None:
    """Again here, and in another process: no table is other than before."""
    before = await tables(connector)
    await act(connector.api, ids)
    await act(await connector.open(), ids)
    assert_reads(await changed(connector, before), {}, what)
