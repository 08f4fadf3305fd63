"""What the screens of several audiences show alike."""

import msgspec

from contracts.canonical.values import Instant
from contracts.canonical.workflow import StepStatus


class ScreenLink(msgspec.Struct, frozen=True, omit_defaults=True):
    """A record in another system, with its address for a person where there is one."""

    label: str
    id: str
    url: str = ""


class ScreenStep(msgspec.Struct, frozen=True, omit_defaults=True):
    title: str
    status: StepStatus
    started_at: Instant
    seconds: float | None = None
    detail: str = ""
    links: tuple[ScreenLink, ...] = ()
