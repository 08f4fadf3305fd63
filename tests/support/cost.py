"""tests/support: `python -m tests.support.cost COMMAND …` tells what it took, with all that it started."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """The command's exit status, its cost printed behind its own output."""
    # Whatever loses its parent on the way becomes our child, so that its time is counted, too.
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
    began = time.monotonic()
    child = subprocess.Popen(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command's own to answer
    status = child.wait()
    reap()
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = spent.ru_utime + spent.ru_stime
    sys.stderr.write(f"Took {time.monotonic() - began:.0f} s, and {processor:.0f} s of processor time.\n")
    return status if status >= 0 else 128 - status


def reap() -> None:
    """Count those that have ended since; what still runs is left alone."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


if __name__ == "__main__":
    sys.exit(main())
