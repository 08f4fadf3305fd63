"""system_apis: how one Kantata OX account's fields, choices and statuses read in our language. Pure data."""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.canonical.project import ProjectStatus

Codes = dict[str, str]
Name = Annotated[str, Meta(min_length=1, max_length=255)]


class ProjectFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which custom field of the account's projects holds what, by name; empty: it is not stored there.

    `key` must have the unique constraint: it prevents a second project of a key.
    """

    key: Name = "Enfilade key"
    contract_number: str = ""
    service_line: str = ""
    region: str = ""
    template: str = ""
    pricing_model: str = ""
    custom: Codes = {}


class TaskFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`key` must have the unique constraint; without such a field tasks are distinguished by their titles."""

    key: str = ""


class ClientFields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`key` must have the unique constraint: it prevents a second client of a key."""

    key: Name = "Enfilade key"
    custom: Codes = {}


class Fields(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    project: ProjectFields = msgspec.field(default_factory=ProjectFields)
    task: TaskFields = msgspec.field(default_factory=TaskFields)
    client: ClientFields = msgspec.field(default_factory=ClientFields)


class Picklists(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account's label → our code; an empty table: the account's labels are our codes."""

    service_line: Codes = {}
    region: Codes = {}
    template: Codes = {}
    pricing_model: Codes = {}
    role: Codes = {}


class Stages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account's status keys by our status; the first of each is what we write.

    `otherwise` is what a project in any other status of the account counts as; without it such a project is
    refused by its status' name.
    """

    planned: tuple[int, ...]
    active: tuple[int, ...]
    closed: tuple[int, ...]
    cancelled: tuple[int, ...]
    otherwise: ProjectStatus | None = None

    @property
    def keys(self) -> dict[int, ProjectStatus]:
        """Our status by the account's key."""
        mine: tuple[tuple[ProjectStatus, tuple[int, ...]], ...] = (
            ("planned", self.planned),
            ("active", self.active),
            ("closed", self.closed),
            ("cancelled", self.cancelled),
        )
        return {key: status for status, keys in mine for key in keys}


class Defaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The values for what a draft leaves out; `access_level` is who may open a project."""

    access_level: Annotated[str, Meta(pattern=r"^(invitation|open|admin)$")] = "invitation"


class RequiredCustom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Custom fields that the firm demands and we have no word for: what to put there, by field name."""

    project: Codes = {}
    client: Codes = {}


class Maps(msgspec.Struct, frozen=True, kw_only=True):
    """All that the mapping reads of a profile."""

    instance: str
    app_url: str
    service_name: str
    fields: Fields
    stages: Stages
    picklists: Picklists
    defaults: Defaults
    required_custom: RequiredCustom
