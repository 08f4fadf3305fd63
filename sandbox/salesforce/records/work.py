"""The Salesforce stand-in's unit of work: writes records, can undo them, and knows what to tell of."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.salesforce.errors import Refused, no_such_column, not_found, unknown_reference
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.records import checks, derive
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.records.values import accept
from sandbox.salesforce.schema.fields import SObject

# In the data of a record but never written by it.
IGNORED = {"attributes"}


@dataclass(frozen=True)
class Actor:
    """Who writes, by which road: the change event names both."""

    user_id: str
    origin: str


@dataclass
class Change:
    """One record's change within a transaction."""

    entity: str
    record_id: str
    kind: str
    fields: dict[str, Any] = field(default_factory=dict)


class Work:
    """One transaction. Everything takes effect at once; `rollback` undoes back to a mark."""

    def __init__(self, org: Org, actor: Actor) -> None:
        self.org = org
        self.actor = actor
        self._undo: list[tuple[str, str, Record | None]] = []
        self._changes: list[Change] = []

    def insert(self, made: SObject, data: Record) -> str:
        """Create a record and return its id. Raises: Refused."""
        if not made.createable:
            raise _not_allowed(made, "create")
        values = self.read(made, data, inserting=True)
        # Ids are not given back by a rollback: the vendor's numbers have gaps too.
        return self.place(made, values)

    def place(self, made: SObject, values: Record) -> str:
        """Create a record of values that are already read. Raises: Refused."""
        record: Record = dict.fromkeys((f.name for f in made.fields.values() if f.type != "address"), None)
        record |= checks.defaults(self.org, made, self.actor.user_id) | values
        derive.before_save(self.org, made, record, set(values), old=None)
        checks.check(self.org, made, record, set(values))
        record["Id"] = self.org.new_id(made)
        now = self.org.stamp()
        record |= {
            "CreatedDate": now, "CreatedById": self.actor.user_id, "LastModifiedDate": now,
            "LastModifiedById": self.actor.user_id, "SystemModstamp": now, "IsDeleted": False,
        }  # fmt: skip
        self._write(made.name, record["Id"], record)
        self._note(made.name, record["Id"], "CREATE", record)
        self._ripple(made, record)
        return record["Id"]

    def update(self, made: SObject, record_id: str, data: Record) -> None:
        """Change a record. Raises: Refused."""
        if not made.updateable:
            raise _not_allowed(made, "edit")
        old = self.existing(made, record_id)
        values = self.read(made, data, inserting=False)
        self._change(made, old, values)

    def delete(self, made: SObject, record_id: str, *, into: str = "") -> None:
        """Put a record in the bin, with those that cannot live without it, or merge it. Raises: Refused."""
        if not made.deletable:
            raise _not_allowed(made, "delete")
        old = self.existing(made, record_id)
        now = self.org.stamp()
        merged = {"MasterRecordId": into} if into else {}
        self._write(made.name, old["Id"], old | {"IsDeleted": True, "SystemModstamp": now} | merged)
        self._note(made.name, old["Id"], "DELETE", {})
        for child in self.org.objects.values():
            for reference in child.fields.values():
                if reference.target == made.name and reference.required:
                    for row in self.org.matching(child.name, reference.name, old["Id"]):
                        self.delete(child, row["Id"])
        self._ripple(made, old)

    def undelete(self, made: SObject, record_id: str) -> None:
        """Take a record out of the bin; its event has all of it, as that of a creation."""
        record = self.org.table(made.name)[record_id] | {
            "IsDeleted": False,
            "SystemModstamp": self.org.stamp(),
        }
        self._write(made.name, record_id, record)
        self._note(made.name, record_id, "UNDELETE", record)
        self._ripple(made, record)

    def existing(self, made: SObject, record_id: str) -> Record:
        """Raises: Refused."""
        record = self.org.get(made.name, record_id, deleted=True)
        if record is None:
            if full_id(record_id) is None:
                raise not_found(
                    f"Provided external ID field does not exist or is not accessible: {record_id}"
                )
            raise unknown_reference(404)
        if record["IsDeleted"]:
            raise Refused(404, "ENTITY_IS_DELETED", "entity is deleted", [])
        return record

    def read(self, made: SObject, data: Record, *, inserting: bool) -> Record:
        """The data of a request as the org keeps values; names are of any case. Raises: Refused."""
        values: Record = {}
        denied: list[str] = []
        for name, value in data.items():
            if name in IGNORED:
                continue
            known = made.find(name)
            if known is None:
                values |= self._reference(made, name, value)
            elif not (known.createable if inserting else known.updateable):
                denied.append(known.name)
            else:
                values[known.name] = accept(known, value)
        checks.writable(denied)
        return values

    def _reference(self, made: SObject, name: str, value: Any) -> Record:
        """A parent named by its external id: `"Account": {"Ext__c": "x"}`. Raises: Refused."""
        reference = made.parent(name)
        if reference is None or reference.target is None:
            raise no_such_column(name, made.name)
        if value is None:
            return {reference.name: None}
        target = self.org.objects[reference.target]
        parts = (
            {key: part for key, part in value.items() if key not in IGNORED}
            if isinstance(value, dict)
            else {}
        )
        if len(parts) != 1:
            raise no_such_column(name, made.name)
        key, wanted = next(iter(parts.items()))
        field_ = target.find(key)
        if field_ is None or not (field_.external_id or field_.id_lookup):
            raise Refused(400, "INVALID_FIELD", f"Foreign key external ID: {key} not found for field {name}")
        found = self.org.matching(target.name, field_.name, wanted)
        if not found:
            message = f"Foreign key external ID: {str(wanted).lower()} not found for field {field_.name} in entity {target.name}"  # noqa: E501
            raise Refused(400, "INVALID_FIELD", message)
        return {reference.name: found[0]["Id"]}

    def _change(self, made: SObject, old: Record, values: Record) -> None:
        record = old | values
        derive.before_save(self.org, made, record, set(values), old=old)
        checks.check(self.org, made, record, set(values))
        record |= {"LastModifiedDate": self.org.stamp(), "LastModifiedById": self.actor.user_id}
        record["SystemModstamp"] = record["LastModifiedDate"]
        self._write(made.name, old["Id"], record)
        changed = {k: v for k, v in record.items() if k != "SystemModstamp" and v != old.get(k)}
        changed["LastModifiedDate"] = record["LastModifiedDate"]
        self._note(made.name, old["Id"], "UPDATE", changed)
        self._ripple(made, record)

    def _ripple(self, made: SObject, record: Record) -> None:
        """What a child's change makes of its parent: the amount of an opportunity, the total of an order."""
        for parent_name, parent_id, values in derive.after_save(self.org, made, record):
            parent = self.org.get(parent_name, parent_id)
            if parent and any(parent.get(key) != value for key, value in values.items()):
                self._change(self.org.objects[parent_name], parent, values)

    def _write(self, table: str, record_id: str, record: Record) -> None:
        rows = self.org.table(table)
        self._undo.append((table, record_id, rows.get(record_id)))
        rows[record_id] = record

    def _note(self, entity: str, record_id: str, kind: str, fields: Record) -> None:
        """One event per record and transaction: a later change joins the earlier one."""
        for change in self._changes:
            if change.record_id == record_id and kind == "UPDATE" and change.kind in {"CREATE", "UPDATE"}:
                change.fields |= fields
                return
        self._changes.append(Change(entity, record_id, kind, dict(fields)))

    def mark(self) -> tuple[int, list[Change]]:
        return len(self._undo), [Change(c.entity, c.record_id, c.kind, dict(c.fields)) for c in self._changes]

    def rollback(self, mark: tuple[int, list[Change]]) -> None:
        while len(self._undo) > mark[0]:
            table, record_id, old = self._undo.pop()
            if old is None:
                del self.org.table(table)[record_id]
            else:
                self.org.table(table)[record_id] = old
        self._changes = mark[1]

    def finish(self) -> list[Change]:
        """Make it final; returns the changes to tell."""
        changes, self._changes, self._undo = self._changes, [], []
        self.org.account.touch()
        return changes


def _not_allowed(made: SObject, what: str) -> Refused:
    return Refused(
        400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type {made.name} does not support {what}", []
    )
