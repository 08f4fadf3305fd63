"""system_apis: the connector of Oracle NetSuite: an ERP by its REST record service and SuiteQL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from contracts.system.instance import InstanceReport
from kit.http import Outbound
from system_apis.connector import ChangeSource, Connector, ConnectorContext, WebhookReceiver
from system_apis.vendors.netsuite import auth
from system_apis.vendors.netsuite.adapter import Checker, NetSuiteErp
from system_apis.vendors.netsuite.changes import poll
from system_apis.vendors.netsuite.client import REQUEST_ID_HEADER, Echoes, NetSuiteClient, read_error
from system_apis.vendors.netsuite.client.zone import Zone
from system_apis.vendors.netsuite.mapping import ids
from system_apis.vendors.netsuite.settings import NetSuiteProfile
from system_apis.vendors.netsuite.webhooks import Push


@dataclass(frozen=True, slots=True)
class NetSuite:
    """One open account."""

    capabilities: Mapping[str, Any]
    changes: tuple[ChangeSource, ...]
    webhook: WebhookReceiver | None
    checker: Checker

    async def check(self) -> InstanceReport:
        return await self.checker.report()


@asynccontextmanager
async def open_instance(
    profile: NetSuiteProfile, connector_context: ConnectorContext
) -> AsyncIterator[NetSuite]:
    """An account for the length of the block; raises SettingsError where it must not be opened."""
    account = auth.account_of(profile.connection, connector_context.environ)
    auth.refuse_wrong_environment(profile, account)
    connector_context.refuse_production(profile)
    async with Outbound(
        instance=profile.name,
        base_url=account.base_url,
        auth=auth.grant(profile.connection, account, connector_context.environ),
        budget=connector_context.budget(profile),
        read_error=read_error,
        request_id_header=REQUEST_ID_HEADER,
        recorder=connector_context.recorder,
        headers={"Accept": "application/json"},
    ) as outbound:
        client, echoes = NetSuiteClient(outbound), Echoes(profile.name, connector_context.cache)
        zone = Zone(client, ZoneInfo(profile.time_zone))
        secret = auth.push_secret(profile.connection, connector_context.environ)
        yield NetSuite(
            capabilities={"erp": NetSuiteErp(profile.maps(account.ui_url), client, echoes, zone)},
            changes=(poll(client, echoes, zone, profile.changes),),
            webhook=Push(profile.name, secret, echoes, skew_seconds=profile.changes.skew_seconds)
            if secret
            else None,
            checker=Checker(profile, account, client, zone),
        )


CONNECTOR = Connector(
    name="netsuite",
    title="NetSuite",
    capabilities=("erp",),
    profile=NetSuiteProfile,
    open=open_instance,
    canonical_id=ids.canonical,
)
