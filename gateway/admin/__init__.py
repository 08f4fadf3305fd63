"""The gateway's own APIs: which there are, and the service that keeps each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contracts.admin.audit import Audit
from contracts.admin.consumers import Consumers
from contracts.admin.keys import Keys
from contracts.admin.plans import Plans
from contracts.admin.policy import Policy
from contracts.admin.privacy import Privacy
from contracts.admin.retention import Retention
from contracts.admin.subscriptions import Subscriptions
from contracts.problems import Unavailable
from gateway.admin.audit import AuditService
from gateway.admin.consumers import ConsumersService
from gateway.admin.keys import KeysService
from gateway.admin.plans import PlansService
from gateway.admin.policy import PolicyService
from gateway.admin.privacy import PrivacyService
from gateway.admin.retention import RetentionService
from gateway.admin.subscriptions import SubscriptionsService
from gateway.policies.hop import in_process
from gateway.policies.route import Mounted
from kit.cache import Cache
from kit.database import Database

if TYPE_CHECKING:
    from gateway.app import Gateway

Documents = Callable[[type], dict[str, Any]]
"""Finds the frozen document of an interface."""


@dataclass(frozen=True, slots=True)
class AdminDependencies:
    """What an admin service may be made of."""

    gateway: "Gateway"
    database: Database | None
    cache: Cache | None

    def store(self) -> Database:
        """The database; raises Unavailable for a gateway that has none."""
        if self.database is None:
            raise Unavailable("This gateway has no database")
        return self.database


SERVICES: dict[type, Callable[[AdminDependencies], Any]] = {
    Audit: lambda dependencies: AuditService(dependencies.store),
    Consumers: lambda dependencies: ConsumersService(dependencies.gateway, dependencies.store),
    Keys: lambda dependencies: KeysService(dependencies.gateway, dependencies.database),
    Plans: lambda dependencies: PlansService(dependencies.gateway),
    Policy: lambda dependencies: PolicyService(dependencies.gateway),
    Privacy: lambda dependencies: PrivacyService(dependencies.store),
    Retention: lambda dependencies: RetentionService(dependencies.store, dependencies.gateway),
    Subscriptions: lambda dependencies: SubscriptionsService(dependencies.gateway, dependencies.store),
}


def interfaces() -> list[type]:
    """The interfaces that the gateway keeps itself."""
    return list(SERVICES)


def mounted(dependencies: AdminDependencies, documents: Documents) -> list[Mounted]:
    """Every admin API, ready for the internal pipeline."""
    return [
        Mounted(interface, documents(interface), in_process(interface, build(dependencies)))
        for interface, build in SERVICES.items()
    ]
