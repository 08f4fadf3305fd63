"""The Salesforce stand-in's trees: records with their children in one request, all of them or none."""

from typing import Any

from sandbox.salesforce.errors import Refused, bad_request
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.schema.fields import Field, SObject

MOST = 200


def create(call: Call, name: str) -> Reply:
    records = call.body().get("records")
    if not isinstance(records, list):
        raise bad_request("JSON_PARSER_ERROR", "A list of records is required")
    planter = _Planter(call)
    mark = call.work.mark()
    planter.plant(call.sobject(name), records, {})
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

    def plant(self, made: SObject, records: list[Record], parent: Record) -> None:
        for record in records:
            self._one(made, record, parent)

    def _one(self, made: SObject, record: Record, parent: Record) -> None:
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
            self.plant(child, listed["records"], {reference.name: record_id})

    def _child(self, made: SObject, relationship: str) -> tuple[SObject, Field]:
        for child in self.call.org.objects.values():
            for reference in child.fields.values():
                if reference.target == made.name and reference.children == relationship:
                    return child, reference
        raise bad_request(
            "INVALID_FIELD", f"No such relation '{relationship}' on sobject of type {made.name}"
        )
