"""The Salesforce stand-in's desk: what a person does at the vendor's screens, through the control API."""

from typing import Any

from sandbox.core import Account, ControlError
from sandbox.salesforce import northbeam
from sandbox.salesforce.errors import Refused
from sandbox.salesforce.events import stream
from sandbox.salesforce.ids import full_id
from sandbox.salesforce.records.org import Record, org_of
from sandbox.salesforce.records.values import accept
from sandbox.salesforce.records.work import Actor, Work
from sandbox.salesforce.schema.fields import SObject

# How the vendor's own screens show up in a change event.
SCREEN = "com/salesforce/api/soap/67.0;client=SfdcInternalAPI/"
GAP = "ChangeEvent"
CHANGES = ("CREATE", "UPDATE", "DELETE", "UNDELETE")
GAPS = {f"GAP_{kind}" for kind in (*CHANGES, "OVERFLOW")}


class Desk:
    """Acts as a salesperson; every change is published as the vendor publishes it."""

    def __init__(self, account: Account) -> None:
        self.org = org_of(account)
        people = self.org.live("User")
        self.work = Work(self.org, Actor(people[1]["Id"] if len(people) > 1 else people[0]["Id"], SCREEN))

    def _object(self, name: str) -> SObject:
        made = self.org.objects.get(name)
        if made is None:
            raise KeyError(name)
        return made

    def put(self, name: str, data: Record) -> str:
        """A raw record: known fields as they are, the rest by default; nothing is checked or published."""
        made = self._object(name)
        values = {}
        for key, value in data.items():
            field = made.find(key)
            if field is None:
                raise ControlError(f"{name} has no field {key}")
            values[field.name] = accept(field, value)
        record_id = northbeam.put(self.org, name, values)
        self.org.account.touch()
        return record_id

    def edit(self, name: str, record_id: str, fields: Record) -> Record:
        """Raises: KeyError, Refused."""
        made = self._object(name)
        record = self.org.get(name, record_id, deleted=True)
        if record is None:
            raise KeyError(record_id)
        self._whole(lambda: self.work.update(made, record["Id"], fields))
        return self.org.table(name)[record["Id"]]

    def create(self, name: str, fields: Record) -> Record:
        """A record, its children under their relation's name; or a GAP event. Raises: KeyError, Refused."""
        if name == GAP:
            return self._gap(fields)
        made = self._object(name)
        children = {k: v for k, v in fields.items() if isinstance(v, list)}
        own = {k: v for k, v in fields.items() if k not in children}
        record_id = self._whole(lambda: self._family(made, own, children))
        return self.org.table(name)[record_id]

    def _family(self, made: SObject, own: Record, children: dict[str, list[Record]]) -> str:
        record_id = self.work.insert(made, self._by_name(made, own))
        for relation, rows in children.items():
            child, reference = self._relation(made, relation)
            for row in rows:
                self.work.insert(child, self._by_name(child, row) | {reference: record_id})
        return record_id

    def _by_name(self, made: SObject, data: Record) -> Record:
        """People choose a parent by its name: `"Account": "Globex Corporation"`."""
        chosen = dict(data)
        for key, value in data.items():
            reference = made.parent(key)
            if reference and isinstance(value, str):
                found = self.org.matching(str(reference.target), "Name", value)
                if not found:
                    raise ControlError(f"There is no {reference.target} called {value}")
                del chosen[key]
                chosen[reference.name] = found[0]["Id"]
        return chosen

    def _relation(self, made: SObject, relation: str) -> tuple[SObject, str]:
        for child in self.org.objects.values():
            for reference in child.fields.values():
                if reference.target == made.name and reference.children == relation:
                    return child, reference.name
        raise ControlError(f"{made.name} has no children called {relation}")

    def delete(self, name: str, record_id: str) -> None:
        """Raises: KeyError, Refused."""
        made = self._object(name)
        if self.org.get(name, record_id) is None:
            raise KeyError(record_id)
        self._whole(lambda: self.work.delete(made, record_id))

    def merge(self, name: str, record_id: str, into: str) -> None:
        """Raises: KeyError, Refused."""
        made, survivor = self._object(name), self.org.get(name, into)
        if self.org.get(name, record_id) is None or survivor is None:
            raise KeyError(record_id)
        self._whole(lambda: self.work.delete(made, record_id, into=survivor["Id"]))

    def restore(self, name: str, record_id: str) -> None:
        """Out of the bin. Raises: KeyError."""
        made, record = self._object(name), self.org.get(name, record_id, deleted=True)
        if record is None or not record["IsDeleted"]:
            raise KeyError(record_id)
        self._whole(lambda: self.work.undelete(made, record["Id"]))

    def _gap(self, fields: Record) -> Record:
        entity, kind = fields.get("entityName", "Opportunity"), str(fields.get("changeType", "GAP_UPDATE"))
        ids = list(fields.get("recordIds", []))
        if entity not in self.org.captured or kind not in GAPS | set(CHANGES):
            raise ControlError(f"An event names a captured object and one of {', '.join(sorted(GAPS))}")
        wildcard = f"{self.org.objects[entity].prefix}*"
        if kind in CHANGES and ids != [wildcard]:
            raise ControlError(f"{kind} without its data is published for many records at once: {wildcard}")
        if not all(i == wildcard or (full_id(str(i)) and i[:3] == wildcard[:3]) for i in ids):
            raise ControlError(f"recordIds are ids of {entity}, or {wildcard}")
        stream.gap(self.org, entity, kind, ids, self.work.actor.user_id)
        return {"entityName": entity, "changeType": kind, "recordIds": ids}

    def _whole(self, act: Any) -> Any:
        """All of it and published, or none of it."""
        mark = self.work.mark()
        try:
            done = act()
        except (Refused, ControlError):
            self.work.rollback(mark)
            raise
        stream.tell(self.work)
        return done
