"""Screen parts that audiences share, composed from what the flows answer: pure."""

from contracts.canonical.values import Ref
from contracts.canonical.workflow import Step
from contracts.experience.common import ScreenLink, ScreenStep
from contracts.operation import Api

NAMES = {"sales": "the deal's owner"}
"""What people call a team for which a run waits, where it is not the team's own name."""


def prefix_of(interface: type) -> str:
    """The path under which an audience's own API is called."""
    api: Api = interface.__api__  # pyright: ignore[reportAttributeAccessIssue]
    return api.prefix


def step_shown(step: Step) -> ScreenStep:
    """A step of a run with links to the records that it made."""
    return ScreenStep(
        title=step.title,
        status=step.status,
        started_at=step.started_at,
        seconds=step.seconds,
        detail=step.detail,
        links=tuple(ScreenLink(f"{ref.object} in {ref.instance}", ref.id, ref.url) for ref in step.refs),
    )


def link_to(label: str, our_id: str, refs: tuple[Ref, ...], kind: str) -> ScreenLink | None:
    """A link to an object of ours, at the first address that a system gave it; None without an id."""
    if not our_id:
        return None
    url = next((ref.url for ref in refs if ref.object == kind and ref.url), "")
    return ScreenLink(label, our_id, url)
