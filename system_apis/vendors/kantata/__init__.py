"""system_apis: the connector of Kantata OX (formerly Mavenlink): professional services automation."""

from kit.http import Bearer
from kit.secrets import literal, resolve
from system_apis.connector import Account, Connector, ConnectorContext, Login, OpenInstance, opening
from system_apis.connector.once import Writers
from system_apis.vendors.kantata.adapter.psa import KantataPsa
from system_apis.vendors.kantata.changes import sources
from system_apis.vendors.kantata.check import steps
from system_apis.vendors.kantata.client import REQUEST_ID_HEADER, KantataClient
from system_apis.vendors.kantata.client.errors import reader
from system_apis.vendors.kantata.mapping.values import canonical_id
from system_apis.vendors.kantata.profile import KantataProfile


def _login(profile: KantataProfile, context: ConnectorContext) -> Login:
    connection = profile.connection
    return Login(
        base_url=literal(connection.base_url, context.environ),
        auth=Bearer(resolve(connection.token, context.environ)),
        request_id_header=REQUEST_ID_HEADER,
        reading={"read_error": reader(connection.throttled_seconds)},
    )


def _build(opened: Account[KantataProfile]) -> OpenInstance:
    profile, connection = opened.profile, opened.profile.connection
    client = KantataClient(opened.outbound, connection.service_name)
    writers = Writers(profile.name, opened.context.database, connection.settle_seconds)
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"psa": KantataPsa(client, profile, writers)},
        changes=sources(profile, client),
        steps=lambda: steps(profile, client),
    )


CONNECTOR = Connector(
    name="kantata",
    title="Kantata OX",
    capabilities=("psa",),
    profile=KantataProfile,
    open=opening(_login, _build),
    canonical_id=canonical_id,
)
