"""tests/gateway: the demo house as a module that an ASGI server can be pointed at."""

import os
from pathlib import Path

from gateway.pipeline import Settings
from gateway.policies.wire import Settings as WireSettings
from tests.gateway.house import PLANS, House

app = House(
    Path(os.environ["ISSUER_FOLDER"]),
    Settings(rate_limit=PLANS, wire=WireSettings(body_seconds=0.3, max_body_bytes=100_000)),
).gateway
