"""tests/gateway: the demo house as a module that an ASGI server can be pointed at."""

import os
from pathlib import Path

from gateway.pipeline import GatewaySettings
from gateway.policies.wire import WireSettings
from tests.gateway.deployment import PLANS, Deployment

app = Deployment(
    Path(os.environ["ISSUER_FOLDER"]),
    GatewaySettings(plans=PLANS, wire=WireSettings(body_seconds=2.0, max_body_bytes=100_000)),
).gateway
