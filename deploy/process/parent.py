"""deploy: processes that end when the one that started them ends, however it ends (Linux)."""

import ctypes
import os
import signal
import threading
import time

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_SECONDS = 1.0


def die_with_parent(parent: int = 0) -> None:
    """Ask the kernel for SIGTERM once our parent (by its id, where we know it) has exited, or was killed."""
    parent = parent or os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it exited before the request took effect
        os.kill(os.getpid(), signal.SIGTERM)


def end_after_parent(parent: int, seconds: float) -> None:
    """Have this process killed so long after its parent's exit: a blocked one handles no SIGTERM."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_SECONDS)  # the condition is another process
        time.sleep(seconds)  # its time to end by itself
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="parent", daemon=True).start()
