"""tests/gateway: a deployment that is soon asked for too much: each read costs the one process some time."""

import os
import time
from pathlib import Path

from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, Limit, Plan
from gateway.policies.load_shedding import LoadSheddingSettings
from tests.gateway.demo import DemoTier, Seen
from tests.gateway.deployment import Deployment

WORK_SECONDS = 0.02
LIMITS = (Limit("burst", 1_000_000, 60),)
PLANS = {
    "screens": Plan(limits=LIMITS, lane="critical"),
    "systems": Plan(limits=LIMITS, lane="standard"),
    "jobs": Plan(limits=LIMITS, lane="background"),
}
CONSUMERS = {
    "screen": Consumer(title="Screen", scopes=("*.*.*",), subscriptions={"*": "screens"}),
    "job": Consumer(title="Job", scopes=("*.*.*",), subscriptions={"*": "jobs"}),
}
# Wide apart: a machine that others use as well must not make the screens' lane late.
SHEDDING = LoadSheddingSettings(max_lag_seconds=5.0, background=0.04, standard=0.5, retry_seconds=1.0)


class Toil(DemoTier):
    """Where a read is hard work."""

    async def get_order(self, order_id: str) -> Seen:
        ends = time.monotonic() + WORK_SECONDS
        while time.monotonic() < ends:
            pass  # this is the load
        return Seen(id=order_id)


def make(folder: Path) -> Deployment:
    """The deployment, also for whoever needs its tokens."""
    settings = GatewaySettings(plans=PLANS, load_shedding=SHEDDING)
    return Deployment(folder, settings, CONSUMERS, tier=Toil())


if "ISSUER_FOLDER" in os.environ:
    app = make(Path(os.environ["ISSUER_FOLDER"])).gateway
