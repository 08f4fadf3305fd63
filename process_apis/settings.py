"""What every flow's settings have: a mode per instance, what a failure for good does, and a clock."""

from typing import Literal

import msgspec

from contracts.canonical.workflow import Mode


class FlowSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mode per instance (off, observe, live), park or undo, and the hours until a run is overdue."""

    default_mode: Mode = "live"
    modes: dict[str, Mode] = {}
    on_failure: Literal["park", "undo"] = "park"
    due_hours: float = 4

    def mode(self, instance: str) -> Mode:
        """The flow's mode for what comes from an instance."""
        return self.modes.get(instance, self.default_mode)
