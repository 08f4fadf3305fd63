"""system_apis: what every vendor needs: a connector's declaration, polls, bounded paging, findings."""

from system_apis.connector.declaration import (
    ChangeSource,
    Connector,
    ConnectorContext,
    CursorStore,
    Delivery,
    Environment,
    OpenInstance,
    Profile,
    Receive,
    WebhookReceiver,
    ordering_key,
)

__all__ = [
    "ChangeSource",
    "Connector",
    "ConnectorContext",
    "CursorStore",
    "Delivery",
    "Environment",
    "OpenInstance",
    "Profile",
    "Receive",
    "WebhookReceiver",
    "ordering_key",
]
