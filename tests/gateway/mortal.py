"""tests/gateway: doors that may be killed: for each port read from standard input one is forked.

The effect of an order is one durable row under a key derived from the caller's, as the deployment's tiers do
it.
"""

import os
import signal
import sys
from pathlib import Path

import uvicorn
from sqlalchemy import text

from kit import context
from kit.database import Database
from tests.gateway.demo import DemoTier, Order, Seen
from tests.gateway.deployment import Deployment
from tests.support.databases import keyed

TABLES = (
    "CREATE TABLE asked (key text)",
    "CREATE TABLE effects (key text PRIMARY KEY)",
    "CREATE TABLE marks (key text)",
)


class DurableTier(DemoTier):
    """Places each order once, however often it is asked to."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    async def place_order(self, body: Order) -> Seen:
        now = context.current()
        key = {"key": f"{now.caller.consumer if now.caller else ''}:{now.idempotency_key}"}
        async with self._database.begin() as connection:
            await connection.execute(text("INSERT INTO asked VALUES (:key)"), key)
        async with self._database.begin() as connection:
            await connection.execute(text("INSERT INTO effects VALUES (:key) ON CONFLICT DO NOTHING"), key)
            await connection.execute(text("INSERT INTO marks VALUES (:key)"), key)
        return Seen(id=body.customer, key=now.idempotency_key)


def name_of(port: int) -> str:
    """How PostgreSQL knows the gateway at a port."""
    return f"door {port}"


def serve(folder: Path, url: str, port: int) -> None:
    database = keyed(url, name=name_of(port))
    deployment = Deployment(folder, database=database, tier=DurableTier(database))
    uvicorn.run(deployment.gateway, port=port, log_level="error")


def main() -> None:
    folder, url = Path(sys.argv[1]), sys.argv[2]
    children = []
    for line in sys.stdin:
        child = os.fork()
        if not child:
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # our output is for the process ids alone
            serve(folder, url, int(line))
            os._exit(0)
        children.append(child)
        print(child, flush=True)  # noqa: T201 - whoever asked for the gateway reads its process id
    for child in children:
        os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
