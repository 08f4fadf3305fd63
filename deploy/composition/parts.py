"""deploy: the parts of a deployment that its assembly joins."""

from dataclasses import dataclass, field
from typing import Any

from litestar import Router

import experience_apis.app
import process_apis.app
from gateway.policy_bundle import PolicyBundle
from gateway.policy_bundle.reloader import Participant
from kit.cache import Cache
from kit.database import Database
from kit.http import Recorder, Slots
from kit.inbox.worker import InboxWorker
from kit.postings.collector import Collector
from kit.workflows import Runtime
from process_apis.current_policy import CurrentPolicy
from process_apis.module import FlowModule
from process_apis.reference import Reference
from system_apis.app import Instance
from system_apis.connector import Connector, Profile


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of all state."""

    database: Database
    cache: Cache | None
    recorder: Recorder
    slots: Slots


@dataclass(slots=True)
class Tiers:
    """What this process serves, by tier."""

    profiles: list[tuple[Connector, Profile]]
    instances: dict[str, Instance] = field(default_factory=dict)
    modules: dict[type, FlowModule] = field(default_factory=dict)
    audiences: dict[type, Any] = field(default_factory=dict)
    runtime: Runtime | None = None
    inbox: InboxWorker | None = None
    postings: Collector | None = None

    def routes(self) -> list[Router]:
        """The routes of everything that this process serves."""
        routers = [router for instance in self.instances.values() for router in instance.routers()]
        return [
            *routers,
            *process_apis.app.routes(self.modules),
            *experience_apis.app.routes(self.audiences),
        ]


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """A process's policy at its start, the reference data it was validated against, and its participants."""

    bundle: PolicyBundle
    reference: Reference
    current_policy: CurrentPolicy
    participant: Participant
