"""system_apis: the connector of Toy PSA, a vendor that only the tests know."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from system_apis.vendors.toypsa.adapter import ToyPsaAdapter, check
from system_apis.vendors.toypsa.changes import poll
from system_apis.vendors.toypsa.client import ToyPsaClient
from system_apis.vendors.toypsa.mapping import canonical_id
from system_apis.vendors.toypsa.settings import ToyPsaProfile

from contracts.system.instance import InstanceReport
from kit.http import ClientCredentials, Outbound
from kit.secrets import literal, resolve
from system_apis.connector import ChangeSource, Connector, ConnectorContext, WebhookReceiver


@dataclass(frozen=True, slots=True)
class ToyPsa:
    """One open account."""

    profile: ToyPsaProfile
    client: ToyPsaClient
    capabilities: Mapping[str, Any]
    changes: tuple[ChangeSource, ...]
    webhook: WebhookReceiver | None = None

    async def check(self) -> InstanceReport:
        return await check(self.profile, self.client)


@asynccontextmanager
async def open_instance(profile: ToyPsaProfile, connector_context: ConnectorContext) -> AsyncIterator[ToyPsa]:
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
        client = ToyPsaClient(outbound)
        yield ToyPsa(profile, client, {"psa": ToyPsaAdapter(client)}, (poll(client, profile.changes),))


CONNECTOR = Connector(
    name="toypsa",
    title="Toy PSA",
    capabilities=("psa",),
    profile=ToyPsaProfile,
    open=open_instance,
    canonical_id=canonical_id,
)
