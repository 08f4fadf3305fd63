"""What every flow's settings have: a mode per instance, what a failure for good does, and a clock."""

from typing import Literal

import msgspec

from contracts.canonical.workflow import Mode


class Modes(msgspec.Struct, frozen=True, kw_only=True):
    """A mode per instance: off, observe, live."""

    default_mode: Mode = "live"
    modes: dict[str, Mode] = {}

    def mode(self, instance: str) -> Mode:
        """The flow's mode for what comes from an instance."""
        return self.modes.get(instance, self.default_mode)

    @property
    def on(self) -> bool:
        """Whether the flow takes anything from any instance."""
        return {self.default_mode, *self.modes.values()} != {"off"}


class FlowSettings(Modes, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The modes, park or undo, and the hours until a run is overdue."""

    on_failure: Literal["park", "undo"] = "park"
    due_hours: float = 4
