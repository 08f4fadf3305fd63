"""system_apis: Salesforce Sales Cloud, a customer relationship system."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from contracts.system.instance import InstanceReport
from kit.http import Outbound
from kit.secrets import literal
from system_apis.connector import ChangeSource, Connector, ConnectorContext, WebhookReceiver
from system_apis.vendors.salesforce.adapter import SalesforceCrm
from system_apis.vendors.salesforce.adapter.check import check
from system_apis.vendors.salesforce.auth import Session
from system_apis.vendors.salesforce.changes import Stream, poll
from system_apis.vendors.salesforce.changes.report import Reporter
from system_apis.vendors.salesforce.client import SalesforceClient
from system_apis.vendors.salesforce.client.errors import read_error, read_success, usage
from system_apis.vendors.salesforce.client.events import Events
from system_apis.vendors.salesforce.mapping import ids
from system_apis.vendors.salesforce.mapping.changes import SOBJECTS
from system_apis.vendors.salesforce.settings import SalesforceProfile


@dataclass(slots=True)
class SalesforceInstance:
    """One org, open."""

    profile: SalesforceProfile
    session: Session
    client: SalesforceClient
    events: Events
    capabilities: Mapping[str, Any]
    changes: tuple[ChangeSource, ...]
    webhook: WebhookReceiver | None = None

    async def check(self) -> InstanceReport:
        return await check(self.profile, self.session, self.client, self.events)


@asynccontextmanager
async def open_instance(
    profile: SalesforceProfile, connector_context: ConnectorContext
) -> AsyncIterator[SalesforceInstance]:
    """The org of a profile, for the length of the block; it is logged in on the first call.

    Raises SettingsError for a production org in a test deployment.
    """
    connector_context.refuse_production(profile)
    connection = profile.connection
    session = Session(profile.name, connection, connector_context.environ)
    events = Events(profile.name, session, connection, connector_context.environ)
    async with Outbound(
        instance=profile.name,
        base_url=literal(connection.login_url, connector_context.environ),
        auth=session.grant,
        budget=connector_context.budget(profile),
        read_error=read_error,
        read_success=read_success,
        read_allowance=usage,
        request_id_header="X-SFDC-Request-Id",
        recorder=connector_context.recorder,
        headers={
            "Accept": "application/json",
            # Comes back in the change events that our writes cause.
            "Sforce-Call-Options": f"client={connection.client_name}",
        },
    ) as outbound:
        client = SalesforceClient(outbound, session, profile.maps, connection.api_version)
        reporter = Reporter(client, profile)
        streams = (
            [Stream(reporter, events, sobject) for sobject in SOBJECTS] if profile.changes.stream else []
        )
        try:
            yield SalesforceInstance(
                profile=profile,
                session=session,
                client=client,
                events=events,
                capabilities={"crm": SalesforceCrm(client, profile.maps)},
                changes=(*streams, poll(reporter)),
            )
        finally:
            await events.close()


CONNECTOR = Connector(
    name="salesforce",
    title="Salesforce Sales Cloud",
    capabilities=("crm",),
    profile=SalesforceProfile,
    open=open_instance,
    canonical_id=ids.canonical,
)
