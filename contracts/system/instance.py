"""What a check of a vendor's instance finds: permissions, fields, limits, and whether it is production."""

from typing import Literal

import msgspec

Kind = Literal["login", "permission", "field", "limit", "environment", "reference"]


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing checked: what, by the vendor's own name, whether it is well, and what to do if not."""

    kind: Kind
    name: str
    ok: bool
    detail: str
    fix: str = ""


class InstanceReport(msgspec.Struct, frozen=True):
    """All findings of one instance."""

    instance: str
    vendor: str
    environment: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing needs mending."""
        return all(finding.ok for finding in self.findings)
