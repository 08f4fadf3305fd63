"""system_apis: what every vendor needs: a connector's declaration, polls, bounded paging, findings."""

from system_apis.connector.declaration import (
    ChangeSource,
    Connector,
    ConnectorContext,
    CursorStore,
    Environment,
    OpenInstance,
    Profile,
    Receive,
    ordering_key,
)
from system_apis.connector.webhooks import (
    Delivery,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
    WebhookResult,
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
    "WebhookAnswer",
    "WebhookReceiver",
    "WebhookRequest",
    "WebhookResult",
    "ordering_key",
]
