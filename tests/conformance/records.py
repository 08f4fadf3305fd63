"""tests/conformance: makes a vendor's raw records from a stand's data, and compares what they read as."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sandbox.core.golden import Form, NounForms, State, Step
from tests.conformance.conftest import ConnectorUnderTest
from tests.conformance.nouns import NOUNS

Ids = dict[str, str]
Raw = dict[str, Any]
ANY = "*"
_NAME = re.compile(r"\$([a-z_]+)")


async def make(
    connector: ConnectorUnderTest, form: Form, *, key: str = "enf-whole", at_present: bool = False
) -> Ids:
    """A form's records, at its instant of the vendor's clock, or at present; the ids by the steps' names."""
    if not at_present:
        await connector.account.freeze_clock(form.at)
    ids: Ids = {"state": "whole", "key": key}
    for step in form.steps:
        ids[step.name] = await _make(connector, step, ids)
    if not at_present:
        await connector.account.real_clock()
    return ids


async def make_all(connector: ConnectorUnderTest) -> Ids:
    """The whole record of every noun; its name and key by the noun's name."""
    ids: Ids = {}
    for name in NOUNS[connector.capability]:
        form = connector.golden.nouns[name].whole
        made = {**await make(connector, form, key=f"enf-{name}")}
        owner = next((made[step.name] for step in form.steps if step.name in NOUNS[connector.capability]), "")
        said = form.reads.get("legal_name") or form.reads["name"]
        ids |= {"owner": owner, name: made[name], f"{name}_key": made["key"], f"{name}_name": said}
        if name == "contact":
            ids["customer"] = made["customer"]
    return ids


async def make_many(connector: ConnectorUnderTest, name: str, count: int) -> Ids:
    """Many raw records of a noun, of one owner and one instant; the ids of what they hang on."""
    forms = connector.golden.nouns[name]
    ids = await make(connector, forms.whole, key=f"enf-many-{name}")
    rows = {table: [filled(row, ids, number) for number in range(count)] for table, row in forms.many.items()}
    await connector.account.seed(rows)
    return ids


async def make_odd(connector: ConnectorUnderTest, name: str, ids: Ids) -> str:
    """A record that is off the vendor's schema, of an owner; its id."""
    forms = connector.golden.nouns[name]
    ((table, row),) = forms.many.items()
    fields = filled({**row, **forms.odd}, ids, 4)
    (odd,) = (await connector.account.seed({table: [fields]}))[table]
    return odd


async def make_state(
    connector: ConnectorUnderTest, name: str, forms: NounForms, state: State, ids: Ids
) -> Ids:
    """Another record like the whole one, in a state: its own step is made again, and what hangs on it."""
    await connector.account.freeze_clock(forms.whole.at)
    slug = re.sub(r"[^A-Za-z0-9]+", "-", state.name)
    made = {**ids, "state": slug, "key": f"enf-{slug}"}
    steps = list(forms.whole.steps)
    first = [step.name for step in steps].index(name)
    for step in steps[first:]:
        fields = {**step.fields, **state.fields} if step.name == name else step.fields
        made[step.name] = await _make(connector, Step(step.name, step.table, fields, step.raw), made)
    if state.then:
        await connector.account.edit(steps[first].table, made[name], **filled(state.then, made))
    await connector.account.real_clock()
    return made


async def _make(connector: ConnectorUnderTest, step: Step, ids: Ids) -> str:
    given = {name: value for name, value in step.fields.items() if value is not None}
    fields = filled(given, ids)
    if step.raw:
        (found,) = (await connector.account.seed({step.table: [fields]}))[step.table]
        return found
    made = await connector.account.create(step.table, **fields)
    return str(made.get("id") or made["Id"])


def filled(value: Any, ids: Mapping[str, str], number: int = 0) -> Any:
    """The same with ids and a number in the places that are for them."""
    if isinstance(value, str):
        return _NAME.sub(lambda name: ids.get(name[1], name[0]), value).replace("{n}", str(number))
    if isinstance(value, Mapping):
        return {filled(name, ids, number): filled(each, ids, number) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [filled(each, ids, number) for each in value]
    return value


def with_changes(reads: Raw, changes: Raw) -> Raw:
    """What is expected, with some canonical fields otherwise; None is absent."""
    return {name: value for name, value in {**reads, **changes}.items() if value is not None}


def plain(noun: msgspec.Struct) -> Raw:
    """A canonical noun as JSON has it; what is absent is not there."""
    return msgspec.json.decode(msgspec.json.encode(noun))


def assert_reads(found: Any, expected: Any, what: str) -> None:
    """The whole of a record is as expected; an asterisk stands for any value that is not empty."""
    faults = list(differences(found, expected))
    assert not faults, f"{what}: {'; '.join(faults)}"


def differences(found: Any, expected: Any, place: str = "") -> list[str]:
    """Where two values differ."""
    if expected == ANY:
        return [] if found not in (None, "", [], {}) else [f"{place} is empty"]
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        return [
            fault
            for name in sorted({*found, *expected})
            for fault in _member(found, expected, name, f"{place}.{name}".lstrip("."))
        ]
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        if len(found) != len(expected):
            return [f"{place} has {len(found)} parts, not {len(expected)}"]
        pairs = zip(found, expected, strict=True)
        return [
            fault
            for at, (one, other) in enumerate(pairs)
            for fault in differences(one, other, f"{place}[{at}]")
        ]
    same = found == expected and isinstance(found, bool) == isinstance(expected, bool)
    return [] if same else [f"{place} is {found!r}, not {expected!r}"]


def _member(found: Mapping[str, Any], expected: Mapping[str, Any], name: str, place: str) -> list[str]:
    if name not in expected:
        return [f"{place} is {found[name]!r}, and should be absent"]
    if name not in found:
        return [f"{place} is absent"]
    return differences(found[name], expected[name], place)


async def tables(connector: ConnectorUnderTest) -> dict[str, dict[str, Raw]]:
    """All of the account's records but its journals."""
    journals = connector.golden.journals
    return {
        name: rows
        for name, rows in (await connector.account.tables()).items()
        if rows and name not in journals
    }


async def changed(
    connector: ConnectorUnderTest, before: Mapping[str, Mapping[str, Raw]]
) -> dict[str, list[Raw]]:
    """What the account has that it had not before, by table: new records, and others' changed fields.

    A record that is gone shows as an empty one.
    """
    stamps, result = connector.golden.stamps, dict[str, list[Raw]]()
    after = await tables(connector)
    for table in sorted({*before, *after}):
        old, new = before.get(table, {}), after.get(table, {})
        rows = [_news(old.get(ident, {}), row, stamps) for ident, row in new.items()]
        found = [row for row in rows if row] + [{} for ident in old if ident not in new]
        if found:
            result[table] = found
    return result


def _news(old: Mapping[str, Any], new: Mapping[str, Any], stamps: frozenset[str]) -> Raw:
    if not old:
        return dict(new)
    names = {**new, **old}.keys() - stamps
    return {name: new.get(name) for name in names if new.get(name) != old.get(name)}
