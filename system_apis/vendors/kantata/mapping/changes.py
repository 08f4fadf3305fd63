"""system_apis: changes of Kantata OX projects as canonical events. Pure."""

from contracts.events.kinds import PROJECT_CHANGED, RecordChanged
from system_apis.connector.change import Change
from system_apis.vendors.kantata.mapping import facts, values
from system_apis.vendors.kantata.records import Catalogue, Project, SubscribedEvent, Workspace
from system_apis.vendors.kantata.settings.maps import Maps


def from_event(event: SubscribedEvent, workspace: Workspace | None, our_user: str, maps: Maps) -> Change:
    """The change of a feed event; the project, where it still exists, is in its present state."""
    status = facts.known_status(workspace, maps) if workspace else None
    at = values.utc(event.subject_changed_at or event.created_at)
    change = RecordChanged(
        instance=maps.instance,
        object="project",
        id=str(event.subject_id),
        values={"status": status} if status else {},
        changed_at=at,
        by_us=event.user_id is not None and str(event.user_id) == our_user,
        kind="deleted" if event.event_type == "workspace:deleted" else "changed",
    )
    return Change(f"event:{event.id}", PROJECT_CHANGED, change, at)


def from_project(project: Project, maps: Maps, catalogue: Catalogue) -> Change:
    """The change that a project's present state shows; it does not show who made it."""
    status = facts.known_status(project.workspace, maps)
    noun = facts.to_project(project, maps, catalogue, status or "planned")
    change = RecordChanged(
        instance=maps.instance,
        object="project",
        id=noun.id,
        version=noun.version,
        values={"status": status} if status else {},
        changed_at=noun.updated_at,
    )
    return Change(f"project:{noun.id}:{noun.version}", PROJECT_CHANGED, change, noun.updated_at)
