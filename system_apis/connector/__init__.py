"""system_apis: what every vendor needs: a connector's declaration, polls, bounded paging, findings."""

from system_apis.connector.declaration import (
    ChangeSource,
    Connector,
    ConnectorContext,
    CursorStore,
    Delivery,
    Receive,
    WebhookReceiver,
    ordering_key,
)
from system_apis.connector.instance import Account, Login, OpenInstance, opening
from system_apis.connector.profile import Environment, Profile

__all__ = [
    "Account",
    "ChangeSource",
    "Connector",
    "ConnectorContext",
    "CursorStore",
    "Delivery",
    "Environment",
    "Login",
    "OpenInstance",
    "Profile",
    "Receive",
    "WebhookReceiver",
    "opening",
    "ordering_key",
]
