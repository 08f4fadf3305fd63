"""tests/kit/postings: a process that posts: ``python -m tests.kit.postings.worker DATABASE VENDOR``."""

import asyncio
import os
import sys

import msgspec

from kit.http import Limits, Outbound
from kit.postings.collector import Collector
from kit.workflows import Runtime
from tests.kit.postings.toy import INSTANCE, WAIT_OUT_SECONDS, Adapter, posting_flow
from tests.kit.workflows.story import QUICK
from tests.support.databases import keyed


async def main(url: str, vendor: str, most: int) -> None:
    database = keyed(url)
    runtime = Runtime(
        database,
        application="kit-tests",
        version="1",
        executor=f"poster-{os.getpid()}",
        worker=True,
        settings=msgspec.structs.replace(QUICK, queue_poll=0.1),
    )
    collector = Collector(database, runtime, poll_seconds=0.1)
    limits = Limits(backoff_seconds=0.01, timeout_seconds=20)
    async with Outbound(instance=INSTANCE, base_url=vendor, limits=limits) as http:
        flow = posting_flow(Adapter(http), database, most=most, wait_out=WAIT_OUT_SECONDS)
        runtime.register(flow)
        collector.add(flow)
        await runtime.launch()
        print("launched", flush=True)  # noqa: T201 - the test waits for this line
        await collector.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
