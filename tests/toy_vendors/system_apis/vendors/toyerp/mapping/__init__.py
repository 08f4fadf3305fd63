"""system_apis: Toy ERP's documents as canonical nouns and events, and back. Pure."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from contracts.canonical.contract import Contract as CanonicalContract
from contracts.canonical.contract import ContractDraft
from contracts.canonical.customer import Customer as CanonicalCustomer
from contracts.canonical.customer import CustomerDraft
from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED, RecordChanged
from contracts.problems import NotFound
from system_apis.connector.change import Change
from system_apis.vendors.toyerp.records import Contract, Customer


def canonical_id(kind: str, given: str) -> str:
    """The id itself; raises NotFound for what can be none."""
    if not re.fullmatch(r"[0-9]{1,12}", given):
        raise NotFound(f"“{given}” is not the id of any {kind}")
    return given


def document(draft: CustomerDraft | ContractDraft) -> dict[str, Any]:
    """A draft as the vendor takes it."""
    name = "terms" if isinstance(draft, ContractDraft) else "master"
    return {name: msgspec.to_builtins(draft), **({"status": "active"} if name == "terms" else {})}


def to_customer(row: Customer) -> CanonicalCustomer:
    fields = {name: getattr(row.master, name) for name in row.master.__struct_fields__ if name != "custom"}
    return CanonicalCustomer(
        id=row.id,
        version=str(row.version),
        updated_at=row.changed_at,
        status="blocked" if row.blocked else "approved",
        **fields,
    )


def to_contract(row: Contract) -> CanonicalContract:
    left = ("lines", "custom")
    fields = {name: getattr(row.terms, name) for name in row.terms.__struct_fields__ if name not in left}
    return CanonicalContract(
        id=row.id,
        version=str(row.version),
        updated_at=row.changed_at,
        status=row.status,
        number=f"TC-{row.id}",
        **fields,
    )


def changes_of(row: Customer | Contract, instance: str) -> Iterator[Change]:
    """The last change of a document."""
    noun = "customer" if isinstance(row, Customer) else "contract"
    kind = CUSTOMER_CHANGED if isinstance(row, Customer) else CONTRACT_CHANGED
    version = str(row.version)
    changed = RecordChanged(
        instance=instance, object=noun, id=row.id, version=version, changed_at=row.changed_at
    )
    yield Change(f"{noun}:{row.id}:{version}", kind, changed, row.changed_at)
