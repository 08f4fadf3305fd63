"""Kantata stand-in: the records as one user may see them, with look-ups that are built once per request."""

from collections import defaultdict
from typing import Any

from sandbox.core import Account
from sandbox.kantata.store import Record, alive
from sandbox.kantata.values import instant, words

SEES_MONEY = frozenset({"financials", "edit_and_financials", "project_lead", "admin"})
# Collections of the whole account, open to every member.
OPEN = words(
    "users roles skills rate_cards custom_fields custom_field_choices project_tracker_templates "
    "project_template_assignments workspace_groups"
)


class Reader:
    def __init__(self, account: Account, user_id: str) -> None:
        self.account = account
        self.user_id = user_id
        self.now = instant(account.clock.now())
        self._groups: dict[tuple[str, str], dict[Any, list[Record]]] = {}
        mine = account.tables.get("account_memberships", {}).values()
        self.is_admin = any(row["user_id"] == user_id and row["is_administrator"] for row in mine)
        self._access = {
            row["workspace_id"]: row["access_level"]
            for row in account.tables.get("participations", {}).values()
            if row["user_id"] == user_id
        }

    @property
    def utc_offset_minutes(self) -> int:
        return self.account.settings.get("utc_offset_minutes", -420)

    def rows(self, key: str) -> dict[str, Record]:
        return self.account.tables.get(key, {})

    def group(self, key: str, foreign: str) -> dict[Any, list[Record]]:
        """Rows by the value of one field."""
        found = self._groups.get((key, foreign))
        if found is None:
            found = defaultdict(list)
            for row in self.rows(key).values():
                found[row.get(foreign)].append(row)
            self._groups[key, foreign] = found
        return found

    def subject_rows(self, key: str, subject_type: str, record_id: str) -> list[Record]:
        return [
            row
            for row in self.group(key, "subject_id").get(int(record_id), [])
            if row["subject_type"] == subject_type
        ]

    def sees(self, key: str, row: Record) -> bool:
        if not alive(self.now, row) or row.get("deleted_at"):
            return False
        return self.may_read(key, row)

    def may_read(self, key: str, row: Record) -> bool:
        """Administrators see all; others see what belongs to their projects, and the account's lists."""
        if self.is_admin or key in OPEN:
            return True
        if key == "workspaces":
            return row["id"] in self._access
        if key == "account_memberships":
            return row["user_id"] == self.user_id
        if "workspace_id" in row:
            return row["workspace_id"] in self._access
        if key == "assignments":
            story = self.rows("stories").get(row["story_id"])
            return bool(story) and self.may_read("stories", story)
        return self._may_read_subject(row)

    def _may_read_subject(self, row: Record) -> bool:
        if row.get("subject_type") == "Workspace":
            return str(row["subject_id"]) in self._access
        if row.get("subject_type") == "Story":
            story = self.rows("stories").get(str(row["subject_id"]))
            return bool(story) and self.may_read("stories", story)
        return row.get("subject_type") in ("User", "WorkspaceGroup")

    def sees_money(self, workspace_id: str) -> bool:
        return self.is_admin or self._access.get(workspace_id) in SEES_MONEY

    def may_edit(self, workspace_id: str) -> bool:
        return self.is_admin or workspace_id in self._access
