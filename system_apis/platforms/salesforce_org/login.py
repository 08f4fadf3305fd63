"""system_apis: how a Salesforce org is reached: one login for its calls and its event stream."""

from kit.secrets import literal
from system_apis.connector import ConnectorContext, Login
from system_apis.platforms.salesforce_org.auth import Session
from system_apis.platforms.salesforce_org.connection import OrgProfile
from system_apis.platforms.salesforce_org.errors import read_error, read_success, usage


def login(profile: OrgProfile, context: ConnectorContext) -> Login:
    """The login of a profile's org, which happens on the first call."""
    connection = profile.connection
    session = Session(profile.name, connection, context.environ)
    return Login(
        base_url=literal(connection.login_url, context.environ),
        auth=session.grant,
        request_id_header="X-SFDC-Request-Id",
        # Comes back in the change events that our writes cause.
        headers={"Sforce-Call-Options": f"client={connection.client_name}"},
        reading={"read_error": read_error, "read_success": read_success, "read_allowance": usage},
        session=session,
    )
