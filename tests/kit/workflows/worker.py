"""tests/kit/workflows: a worker process for the tests: ``python -m tests.kit.workflows.worker OPTIONS``.

It executes the story until its standard input closes, and then closes itself properly.
"""

import argparse
import asyncio
import os
import sys

import msgspec

from kit.workflows import Runtime
from tests.kit.workflows.story import QUICK, Story, Vendor, dies_at, pauses_at
from tests.support.databases import keyed


async def main(options: argparse.Namespace) -> None:
    database = keyed(options.url)
    runtime = Runtime(
        database,
        application="kit-tests",
        version="1",
        executor=f"child-{os.getpid()}",
        worker=True,
        settings=msgspec.structs.replace(QUICK, recoveries=options.recoveries),
    )
    reached = dies_at(options.die) if options.die else pauses_at(options.pause) if options.pause else None
    runtime.register(Story(Vendor(database), reached=reached, with_more=options.more))
    await runtime.launch()
    print("launched", flush=True)  # noqa: T201 - the test waits for this line
    await asyncio.to_thread(sys.stdin.read)
    await runtime.close()
    await database.close()
    print("closed", flush=True)  # noqa: T201 - and for this one


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--die", default="")
    parser.add_argument("--pause", default="")
    parser.add_argument("--recoveries", type=int, default=100)
    parser.add_argument("--more", action="store_true")
    asyncio.run(main(parser.parse_args()))
