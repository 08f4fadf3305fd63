"""What every durable flow is built with."""

from typing import ClassVar, Generic, Literal, Protocol, TypeVar

import msgspec

from contracts.routing import SystemAssignment
from kit.workflows import NoState
from process_apis.module import FlowDependencies
from process_apis.settings import FlowSettings

S = TypeVar("S", bound=FlowSettings)


class Assigned(Protocol):
    """What is worked on for a legal entity, in the systems with which the run began."""

    @property
    def selling_entity(self) -> str: ...

    @property
    def systems(self) -> SystemAssignment: ...


class DurableFlow(Generic[S]):
    """The base of durable workflows: their name, the Structs of their input and state, and their settings.

    `correctable` has the values that a person may correct for any of their steps that reads facts again.
    """

    name: ClassVar[str]
    input: ClassVar[type[msgspec.Struct]]
    state: ClassVar[type[msgspec.Struct]]
    correctable: ClassVar[type[msgspec.Struct]] = NoState

    def __init__(self, dependencies: FlowDependencies, settings: S) -> None:
        self._systems = dependencies.systems
        self._reference = dependencies.reference
        self._effects = dependencies.effects
        self._database = dependencies.database
        self._settings = settings
        self.on_failure: Literal["park", "undo"] = settings.on_failure

    def _systems_of(self, assigned: Assigned) -> SystemAssignment:
        return self._systems.pinned_or_current(assigned.systems, assigned.selling_entity)
