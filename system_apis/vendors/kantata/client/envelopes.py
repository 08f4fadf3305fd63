"""system_apis: reads Kantata OX answers: their pages, and the records with what hangs on them."""

from collections.abc import Iterable
from functools import partial
from typing import Any, NamedTuple, TypeVar

from kit.http import VendorAnswer
from system_apis.connector.unreadable import Unreadable, record_in
from system_apis.vendors.kantata.records import (
    ClientGroup,
    CustomFieldValue,
    Envelope,
    Held,
    LooseEnvelope,
    Project,
    Workspace,
    WorkspaceHead,
)

H = TypeVar("H", bound=Held)

PAGE = 200  # the vendor's most


class Reply(NamedTuple):
    """An answer and its envelope."""

    answer: VendorAnswer
    envelope: Envelope

    def rows(self, key: str) -> list[Any]:
        """The records of a collection in the answer's own order; ContractViolation where one is missing."""
        envelope, table = self.envelope, getattr(self.envelope, key)
        records = [
            table[result.id] for result in envelope.results if result.key == key and result.id in table
        ]
        if len(records) != len(envelope.results):
            raise self.answer.violation(f"an answer names records that are not in its {key}")
        if self.answer.method != "GET" and not records:
            raise self.answer.violation(f"a write answered without {key}")
        return records

    def only(self, records: list[H]) -> H:
        if not records:
            raise self.answer.violation("the requested record is not in the answer")
        return records[0]

    @property
    def projects(self) -> list[Project]:
        envelope = self.envelope
        return [
            Project(
                workspace=workspace,
                custom=self._hanging("custom_field_values", "Workspace", workspace.id),
                references=self._hanging("external_references", "Workspace", workspace.id),
                seats=tuple(
                    seat
                    for seat in envelope.workspace_resources.values()
                    if str(seat.workspace_id) == workspace.id
                ),
                lead=envelope.users.get(str(workspace.primary_maven_id)),
            )
            for workspace in self.rows("workspaces")
        ]

    @property
    def clients(self) -> list[ClientGroup]:
        return [
            ClientGroup(
                group=group,
                custom=self._hanging("custom_field_values", "WorkspaceGroup", group.id),
                references=self._hanging("external_references", "WorkspaceGroup", group.id),
            )
            for group in self.rows("workspace_groups")
        ]

    def _hanging(self, key: str, subject_type: str, subject_id: str) -> tuple[Any, ...]:
        """The custom values or references of one record among all that were side-loaded."""
        return tuple(
            mark
            for mark in getattr(self.envelope, key).values()
            if mark.subject_type.lower() == subject_type.lower() and str(mark.subject_id) == subject_id
        )

    @property
    def more(self) -> bool:
        """Whether another page follows; older answers have only the total count."""
        meta, results = self.envelope.meta, self.envelope.results
        if meta is None or meta.page_count is None or meta.page_number is None:
            return len(results) == PAGE
        return meta.page_number < meta.page_count


def reply_of(answer: VendorAnswer) -> Reply:
    return Reply(answer, answer.json(Envelope))


def salvaged(answer: VendorAnswer) -> tuple[Reply, list[Unreadable]]:
    """An answer without those of its projects that are off their schema, and these."""
    if answer.try_json(Envelope) is not None:
        return reply_of(answer), []
    loose = answer.json(LooseEnvelope)
    workspaces: dict[str, Workspace] = {}
    odd: dict[str, Unreadable] = {}
    for ident, raw in loose.workspaces.items():
        record = record_in(
            answer,
            raw,
            partial(answer.part, raw, Workspace),
            WorkspaceHead,
            lambda head: (head.updated_at, head.id),
        )
        if isinstance(record, Unreadable):
            odd[ident] = record
        else:
            workspaces[ident] = record
    results = tuple(each for each in loose.results if each.key != "workspaces" or each.id not in odd)
    fields = {name: getattr(loose, name) for name in Envelope.__struct_fields__}
    return Reply(answer, Envelope(**{**fields, "results": results, "workspaces": workspaces})), list(
        odd.values()
    )


def of_key(records: Iterable[H], key: str, service_name: str, field_id: str) -> H | None:
    """The record of our key, by our reference, or by its unique field; filters may have been ignored."""
    for record in records:
        values = [(str(each.custom_field_id), str(each.value)) for each in record.custom]
        references = [(each.service_name, str(each.service_model_ref)) for each in record.references]
        if ((field_id, key) in values) if field_id else ((service_name, key) in references):
            return record
    return None


def keys_of(values: Iterable[CustomFieldValue], key_field: str) -> dict[str, str]:
    """Our keys of tasks by the task's id."""
    mine = (each for each in values if str(each.custom_field_id) == key_field and each.value)
    return {str(value.subject_id): str(value.value) for value in mine}
