"""What a flow's module is given by its tier, and what it returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from kit.database import Database
from kit.effects import Effects
from kit.ownership import Ownership
from kit.postings.flow import PostingFlow
from kit.settings import SettingsError
from kit.workflows import Flow, Runtime
from process_apis.current_policy import CurrentPolicy
from process_apis.reference import Reference
from process_apis.systems import Systems
from process_apis.triggers import Trigger

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class FlowDependencies:
    """What every flow may use; `clients` holds the process interfaces that were built before."""

    systems: Systems
    database: Database
    runtime: Runtime
    reference: Reference
    ownership: Ownership
    current_policy: CurrentPolicy
    settings: Mapping[str, Any]
    clients: dict[type, Any] = field(default_factory=dict)

    def settings_of(self, section: str, kind: type[S]) -> S:
        """A flow's own settings; raises SettingsError."""
        try:
            return msgspec.convert(self.settings.get(section, {}), kind)
        except msgspec.ValidationError as error:
            raise SettingsError([f"flows.toml [{section}]: {error}"]) from None

    def client(self, interface: type[T]) -> T:
        """Another flow, by its process interface only."""
        return self.clients[interface]

    @property
    def effects(self) -> Effects:
        """What performs the flow's effects, in systems and in other flows."""
        return Effects(self._client_at, self.ownership, self.database)

    def _client_at(self, interface: type[Any], instance: str) -> Any:
        return self.clients.get(interface) or self.systems.client(interface, instance)


@dataclass(frozen=True, slots=True)
class FlowModule:
    """A flow's API, its durable workflow if it has one, what starts it beside its API, and what it posts."""

    service: Any
    flow: Flow | None = None
    triggers: tuple[Trigger, ...] = ()
    postings: tuple[PostingFlow[Any], ...] = ()
