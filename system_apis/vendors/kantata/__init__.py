"""system_apis: the connector of Kantata OX (formerly Mavenlink): professional services automation."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from contracts.system.instance import InstanceReport
from kit.http import Bearer, Outbound
from kit.secrets import literal, resolve
from system_apis.connector import ChangeSource, Connector, ConnectorContext, WebhookReceiver
from system_apis.vendors.kantata.adapter import KantataPsa
from system_apis.vendors.kantata.adapter.check import check
from system_apis.vendors.kantata.changes import feed, poll
from system_apis.vendors.kantata.changes.report import Reporter
from system_apis.vendors.kantata.client import REQUEST_ID_HEADER, KantataClient
from system_apis.vendors.kantata.client.errors import reader
from system_apis.vendors.kantata.mapping import ids
from system_apis.vendors.kantata.settings import KantataProfile


@dataclass(frozen=True, slots=True)
class Kantata:
    """One open account."""

    profile: KantataProfile
    client: KantataClient
    capabilities: Mapping[str, Any]
    changes: tuple[ChangeSource, ...]
    webhook: WebhookReceiver | None = None  # the vendor pushes nothing

    async def check(self) -> InstanceReport:
        return await check(self.profile, self.client)


@asynccontextmanager
async def open_instance(
    profile: KantataProfile, connector_context: ConnectorContext
) -> AsyncIterator[Kantata]:
    """An account for the length of the block; raises SettingsError where it must not be opened."""
    connector_context.refuse_production(profile)
    connection = profile.connection
    async with Outbound(
        instance=profile.name,
        base_url=literal(connection.base_url, connector_context.environ),
        auth=Bearer(resolve(connection.token, connector_context.environ)),
        budget=connector_context.budget(profile),
        read_error=reader(connection.throttled_seconds),
        request_id_header=REQUEST_ID_HEADER,
        recorder=connector_context.recorder,
        headers={"Accept": "application/json"},
    ) as outbound:
        client = KantataClient(outbound, connection.service_name)
        reporter = Reporter(client, profile.maps)
        feeds = (feed(reporter, profile.changes),) if profile.changes.feed else ()
        yield Kantata(
            profile=profile,
            client=client,
            capabilities={
                "psa": KantataPsa(
                    client,
                    profile.maps,
                    database=connector_context.database,
                    settle_seconds=connection.settle_seconds,
                )
            },
            changes=(*feeds, poll(reporter, profile.changes)),
        )


CONNECTOR = Connector(
    name="kantata",
    title="Kantata OX",
    capabilities=("psa",),
    profile=KantataProfile,
    open=open_instance,
    canonical_id=ids.canonical,
)
