"""tests/support: `enfilade serve`, whose workers' event loop stands still for good on a signal."""

import os
import signal
import sys
import time
from typing import Any

BLOCK = signal.SIGRTMIN


def stand_still(*_: Any) -> None:
    while True:
        time.sleep(3600)


def block_on_signal() -> None:
    signal.signal(BLOCK, stand_still)


if __name__ == "__main__":
    from deploy.cli.main import main

    os.register_at_fork(after_in_child=block_on_signal)
    sys.exit(main(sys.argv[1:]))
