"""system_apis: the connector of Oracle NetSuite: an ERP by its REST record service and SuiteQL."""

import msgspec

from kit.secrets import resolve
from system_apis.connector import Account, Connector, ConnectorContext, Login, OpenInstance, opening
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.own_writes import OwnWrites
from system_apis.connector.wall_clock import LocalZone
from system_apis.vendors.netsuite import auth
from system_apis.vendors.netsuite.adapter.erp import NetSuiteErp
from system_apis.vendors.netsuite.changes import poll
from system_apis.vendors.netsuite.check import NetSuiteCheck
from system_apis.vendors.netsuite.client import REQUEST_ID_HEADER, NetSuiteClient
from system_apis.vendors.netsuite.client.errors import read_error
from system_apis.vendors.netsuite.mapping.values import canonical_id
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.webhooks import Push


def _login(profile: NetSuiteProfile, context: ConnectorContext) -> Login:
    account = auth.account_of(profile.connection, context.environ)
    return Login(
        base_url=account.base_url,
        auth=auth.grant(profile.connection, account, context.environ),
        environment=account.environment,
        request_id_header=REQUEST_ID_HEADER,
        reading={"read_error": read_error},
    )


def _build(opened: Account[NetSuiteProfile]) -> OpenInstance:
    context, given = opened.context, opened.profile.connection
    account = auth.account_of(given, context.environ)
    connection = msgspec.structs.replace(given, app_url=account.app_url)
    profile = msgspec.structs.replace(opened.profile, connection=connection)
    client, own_writes = NetSuiteClient(opened.outbound), OwnWrites(profile.name, context.cache)
    zone = LocalZone(profile.name, profile.zone, client.clock)
    rows = LocalRows(profile.name, zone, client.query)
    secret = resolve(given.push_secret, context.environ) if given.push_secret else None
    skew = profile.changes.skew_seconds
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"erp": NetSuiteErp(profile, client, own_writes, rows)},
        changes=(poll(profile, own_writes, rows),),
        webhook=Push(profile.name, secret, own_writes, skew_seconds=skew) if secret else None,
        steps=NetSuiteCheck(profile, account, client, zone).steps,
    )


CONNECTOR = Connector(
    name="netsuite",
    title="NetSuite",
    capabilities=("erp",),
    profile=NetSuiteProfile,
    open=opening(_login, _build),
    canonical_id=canonical_id,
)
