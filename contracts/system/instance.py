"""What a check of a vendor's instance finds: permissions, fields, limits, and whether it is production."""

from typing import Literal

import msgspec

from contracts.canonical.values import LONGEST_KEY

Kind = Literal["login", "permission", "field", "limit", "environment", "reference"]


class InstanceFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of an instance by its profile and its vendor's connector.

    `lacks` are the optional features that it does not have. `currency` is the account's own: that of amounts
    whose record names none. `time_zone` is that of what the vendor writes without one. Empty: not known. Keys
    longer than `key_length` are stored as their digest (`contracts.canonical.values.short_key`). One that
    `answers_later` may accept a write first and do it afterwards.
    """

    name: str
    vendor: str
    environment: str
    capabilities: tuple[str, ...] = ()
    data_region: str = ""
    lacks: tuple[str, ...] = ()
    currency: str = ""
    time_zone: str = ""
    key_length: int = LONGEST_KEY
    answers_later: bool = False


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing checked: what, by the vendor's own name, whether it is well, and what to do if not."""

    kind: Kind
    name: str
    ok: bool
    detail: str
    fix: str = ""


class InstanceReport(msgspec.Struct, frozen=True):
    """All findings of one instance, and the facts that its profile states."""

    instance: str
    vendor: str
    environment: str
    findings: tuple[Finding, ...]
    currency: str = ""
    time_zone: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing needs mending."""
        return all(finding.ok for finding in self.findings)
