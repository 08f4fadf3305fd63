"""The Salesforce stand-in's trees: records with their children in one request, all of them or none."""

from typing import Any

from sandbox.salesforce.errors import Refused, bad_request, not_deserialized
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.schema.fields import Field, SObject

MOST, MOST_KINDS, MOST_LEVELS = 200, 5, 5


def create(call: Call, name: str) -> Reply:
    records = call.form("records").get("records")
    if not isinstance(records, list):
        raise bad_request("JSON_PARSER_ERROR", "A list of records is required")
    planter = _Planter(call)
    mark = call.work.mark()
    planter.plant(call.sobject(name), records, {}, 1)
    if planter.errors:
        call.work.rollback(mark)
        return Reply(400, {"hasErrors": True, "results": planter.errors})
    return Reply(201, {"hasErrors": False, "results": planter.results})


class _Planter:
    def __init__(self, call: Call) -> None:
        self.call = call
        self.results: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.count = 0
        self.kinds: set[str] = set()

    def plant(self, made: SObject, records: list[Record], parent: Record, level: int) -> None:
        self.kinds.add(made.name)
        if level > MOST_LEVELS or len(self.kinds) > MOST_KINDS:
            message = f"A tree is of {MOST_KINDS} kinds of objects and {MOST_LEVELS} levels at most"
            raise bad_request("LIMIT_EXCEEDED", message)
        for record in records:
            if not isinstance(record, dict):
                raise not_deserialized("SObject", record)
            self._one(made, record, parent, level)

    def _one(self, made: SObject, record: Record, parent: Record, level: int) -> None:
        self.count += 1
        if self.count > MOST:
            raise bad_request("LIMIT_EXCEEDED", f"A tree holds at most {MOST} records")
        name = str((record.get("attributes") or {}).get("referenceId"))
        children = {k: v for k, v in record.items() if isinstance(v, dict) and "records" in v}
        own = {k: v for k, v in record.items() if k not in children}
        try:
            record_id = self.call.work.insert(made, own | parent)
        except Refused as refused:
            self.errors.append({"referenceId": name, "errors": [refused.row()]})
            return
        self.results.append({"referenceId": name, "id": record_id})
        for relationship, listed in children.items():
            child, reference = self._child(made, relationship)
            self.plant(child, listed["records"], {reference.name: record_id}, level + 1)

    def _child(self, made: SObject, relationship: str) -> tuple[SObject, Field]:
        for child in self.call.org.objects.values():
            for reference in child.fields.values():
                if reference.target == made.name and reference.children == relationship:
                    return child, reference
        raise bad_request(
            "INVALID_FIELD", f"No such relation '{relationship}' on sobject of type {made.name}"
        )
