"""The Kantata stand-in's console: what a delivery manager of Northbeam sees in Kantata's screens."""

from collections.abc import Iterable

from sandbox.core.console import ClientRecord, Console, ProjectRecord, Record

_KEY_FIELD = "Enfilade key"


class KantataConsole(Console):
    """A PSA: groups as clients, workspaces as projects."""

    title = "Kantata"

    async def clients(self) -> list[ClientRecord]:
        keys = await self._keys("WorkspaceGroup")
        return [
            ClientRecord(str(one["id"]), keys.get(str(one["id"]), ""), one["name"])
            for one in await self.screens.records("workspace_groups")
        ]

    async def create_client(self, *, name: str, website: str = "") -> str:
        made = await self.screens.create("workspace_groups", name=name, company=True, website=website)
        return str(made["id"])

    async def projects(self) -> list[ProjectRecord]:
        keys = await self._keys("Workspace")
        stories = await self.screens.records("stories")
        seats = await self.screens.records("workspace_resources")
        allocations = await self.screens.records("workspace_allocations")
        return [
            _project(one, keys, stories, seats, allocations)
            for one in await self.screens.records("workspaces")
        ]

    async def _keys(self, subject: str) -> dict[str, str]:
        """Our key of each subject, from its custom field."""
        fields = {
            str(one["id"]) for one in await self.screens.records("custom_fields") if one["name"] == _KEY_FIELD
        }
        return {
            str(one["subject_id"]): one["value"]
            for one in await self.screens.records("custom_field_values")
            if one["subject_type"] == subject and str(one["custom_field_id"]) in fields
        }


CONSOLE = KantataConsole


def _project(
    workspace: Record,
    keys: dict[str, str],
    stories: list[Record],
    seats: list[Record],
    allocations: list[Record],
) -> ProjectRecord:
    ident = str(workspace["id"])
    mine = list(_of(stories, ident))
    roles = [str(one["id"]) for one in _of(seats, ident) if not one.get("user_id")]
    return ProjectRecord(
        id=ident,
        key=keys.get(ident, ""),
        name=workspace["title"],
        client_id=str(workspace.get("primary_workspace_group_id") or ""),
        live=not workspace.get("archived"),
        tasks=tuple(one["title"] for one in mine if one["story_type"] == "task"),
        milestones=tuple(one["title"] for one in mine if one["story_type"] == "milestone"),
        roles=tuple(roles),
        staffed=tuple(seat for one in allocations if (seat := str(one["workspace_resource_id"])) in roles),
    )


def _of(records: Iterable[Record], workspace_id: str) -> Iterable[Record]:
    return (one for one in records if str(one["workspace_id"]) == workspace_id)
