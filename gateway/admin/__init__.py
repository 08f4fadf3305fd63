"""The gateway's own APIs, and the service that implements each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from contracts.admin.audit import Audit
from contracts.admin.consumers import Consumers
from contracts.admin.keys import Keys
from contracts.admin.plans import Plans
from contracts.admin.policy import PolicyInspection
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
from gateway.identity import CredentialStatus
from gateway.inventory import ApiInventory, Mounted
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.plans.usage import Usage
from gateway.policies.hop import in_process
from gateway.policy_runtime import PolicyRuntime
from kit.database import Database

Documents = Callable[[type], dict[str, Any]]
"""Finds the frozen document of an interface."""


@dataclass(frozen=True, slots=True)
class AdminDependencies:
    """The dependencies of the admin services."""

    runtime: PolicyRuntime
    inventory: ApiInventory
    directory: ConsumerDirectory
    usage: Usage
    credential_status: CredentialStatus | None
    database: Database | None

    def store(self) -> Database:
        """The database; raises Unavailable for a gateway that has none."""
        if self.database is None:
            raise Unavailable("This gateway has no database")
        return self.database


SERVICES: dict[type, Callable[[AdminDependencies], Any]] = {
    Audit: lambda dependencies: AuditService(dependencies.store),
    Consumers: lambda dependencies: ConsumersService(
        dependencies.runtime,
        dependencies.directory,
        dependencies.inventory,
        dependencies.usage,
        dependencies.store,
    ),
    Keys: lambda dependencies: KeysService(
        dependencies.runtime, dependencies.credential_status, dependencies.store
    ),
    Plans: lambda dependencies: PlansService(dependencies.runtime),
    PolicyInspection: lambda dependencies: PolicyService(dependencies.runtime),
    Privacy: lambda dependencies: PrivacyService(dependencies.store),
    Retention: lambda dependencies: RetentionService(dependencies.store, dependencies.runtime),
    Subscriptions: lambda dependencies: SubscriptionsService(
        dependencies.runtime, dependencies.directory, dependencies.inventory, dependencies.store
    ),
}


def interfaces() -> list[type]:
    """The interfaces that the gateway itself implements."""
    return list(SERVICES)


def mounted(dependencies: AdminDependencies, documents: Documents) -> list[Mounted]:
    """Every admin API, ready for the internal pipeline."""
    return [
        Mounted(interface, documents(interface), in_process(interface, build(dependencies)))
        for interface, build in SERVICES.items()
    ]
