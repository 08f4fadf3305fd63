"""system_apis: the connector of Toy CRM, a vendor that only the tests know."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from system_apis.vendors.toycrm.adapter import ToyCrmAdapter, check
from system_apis.vendors.toycrm.changes import poll
from system_apis.vendors.toycrm.client import ToyCrmClient
from system_apis.vendors.toycrm.mapping import canonical_id
from system_apis.vendors.toycrm.settings import ToyCrmProfile

from contracts.system.instance import InstanceReport
from kit.http import ClientCredentials, Outbound
from kit.secrets import literal, resolve
from system_apis.connector import ChangeSource, Connector, ConnectorContext, WebhookReceiver


@dataclass(frozen=True, slots=True)
class ToyCrm:
    """One open account."""

    profile: ToyCrmProfile
    client: ToyCrmClient
    capabilities: Mapping[str, Any]
    changes: tuple[ChangeSource, ...]
    webhook: WebhookReceiver | None = None

    async def check(self) -> InstanceReport:
        return await check(self.profile, self.client)


@asynccontextmanager
async def open_instance(profile: ToyCrmProfile, connector_context: ConnectorContext) -> AsyncIterator[ToyCrm]:
    """An account for the length of the block; raises SettingsError where it must not be opened."""
    connector_context.refuse_production(profile)
    connection, environ = profile.connection, connector_context.environ
    address = literal(connection.base_url, environ)
    login = ClientCredentials(
        f"{address}/token", literal(connection.client_id, environ), resolve(connection.client_secret, environ)
    )
    async with Outbound(
        instance=profile.name,
        base_url=address,
        auth=login,
        budget=connector_context.budget(profile),
        request_id_header="x-request-id",
        recorder=connector_context.recorder,
    ) as outbound:
        client = ToyCrmClient(outbound)
        yield ToyCrm(profile, client, {"crm": ToyCrmAdapter(client)}, (poll(client, profile.changes),))


CONNECTOR = Connector(
    name="toycrm",
    title="Toy CRM",
    capabilities=("crm",),
    profile=ToyCrmProfile,
    open=open_instance,
    canonical_id=canonical_id,
)
