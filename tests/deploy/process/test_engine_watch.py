"""tests/deploy: what a worker does once its engine of flows has failed."""

import asyncio
import signal

from deploy.process.engine_watch import ending_with_engine
from kit.database import Database
from kit.workflows import Runtime

PATIENCE_SECONDS = 30


async def test_a_worker_whose_engine_has_failed_tells_itself_to_stop(database_url: str):
    """Its supervisor then starts another; one that only starts runs has no engine, and stays."""
    told, loop, database = asyncio.Event(), asyncio.get_running_loop(), Database(database_url)
    loop.add_signal_handler(signal.SIGTERM, told.set)
    try:
        api, failed = (
            Runtime(database, application="a", version="1", executor="here", worker=worker)
            for worker in (False, True)
        )
        async with ending_with_engine(api):
            await asyncio.sleep(0)
        assert not told.is_set()
        async with ending_with_engine(failed), asyncio.timeout(PATIENCE_SECONDS):
            await told.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
        await database.close()
