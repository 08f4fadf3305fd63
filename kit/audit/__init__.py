"""kit/audit: who did what with which outcome, in the work's own transaction, hash-chained and anchored."""

from kit.audit.anchoring import Anchor, anchor, anchors_between, is_anchor_due
from kit.audit.chain import GENESIS, canonical, hash_of
from kit.audit.refusals import note_refusals
from kit.audit.verifying import Verification, check
from kit.audit.writing import SEALED, AuditEntry, consumer, numbered, set_aside, write, write_all

__all__ = [
    "GENESIS",
    "SEALED",
    "Anchor",
    "AuditEntry",
    "Verification",
    "anchor",
    "anchors_between",
    "canonical",
    "check",
    "consumer",
    "hash_of",
    "is_anchor_due",
    "note_refusals",
    "numbered",
    "set_aside",
    "write",
    "write_all",
]
