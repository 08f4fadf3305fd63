"""The Toy PSA stand-in's console: what a delivery manager sees in its screens."""

from sandbox.core.console import ClientRecord, Console, ProjectRecord, Record


class ToyPsaConsole(Console):
    """A PSA."""

    title = "Toy PSA"

    async def clients(self) -> list[ClientRecord]:
        rows = await self.screens.records("clients")
        return [ClientRecord(one["id"], one["key"], one["card"]["name"]) for one in rows]

    async def create_client(self, *, name: str, website: str = "") -> str:
        made = await self.screens.create("clients", card={"name": name, "website": website})
        return made["id"]

    async def projects(self) -> list[ProjectRecord]:
        return [_project(one) for one in await self.screens.records("projects")]


CONSOLE = ToyPsaConsole


def _project(one: Record) -> ProjectRecord:
    plan = one["plan"]
    tasks = plan.get("tasks", ())
    roles = tuple(demand["role"] for demand in plan.get("staffing", ()))
    return ProjectRecord(
        id=one["id"],
        key=one["key"],
        name=plan["name"],
        live=one["status"] != "cancelled",
        client_id=plan["client_id"],
        tasks=tuple(task["title"] for task in tasks if task.get("kind") != "milestone"),
        milestones=tuple(task["title"] for task in tasks if task.get("kind") == "milestone"),
        roles=roles,
        staffed=roles,
    )
