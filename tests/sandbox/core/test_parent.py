"""A stand-in ends with the process that started it, however either stands."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress

from tests.support.processes import lives
from tests.support.stack import until

# A child that handles no signal any more, as one whose loop is blocked; its parent exits at once.
BLOCKED = """
import os, signal, sys, time
from sandbox import __main__ as program

if os.fork() == 0:
    program._LOOK_EVERY_SECONDS = program._LAST_SECONDS = 0.05
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    program._die_with_parent()
    print(os.getpid(), flush=True)
    os.close(1)
    time.sleep(600)
time.sleep(float(sys.argv[1]))
"""


async def test_a_blocked_stand_in_does_not_outlive_its_parent() -> None:
    """It cannot answer SIGTERM, and is killed after its time to end."""
    command = (sys.executable, "-c", BLOCKED, "0.5")
    parent = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    printed, _ = await parent.communicate()

    async def gone() -> bool:
        return not lives(int(printed))

    try:
        await until("it has ended", gone, 20)
    finally:
        with suppress(ProcessLookupError):
            os.kill(int(printed), signal.SIGKILL)
