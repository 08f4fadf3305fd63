"""deploy: processes that end when the one that started them ends, however it ends (Linux)."""

import ctypes
import os
import select
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
    """Have this process killed so long after its parent's exit: a blocked one handles no SIGTERM.

    By the kernel's own timer (SIGALRM, which nothing here handles): a process that stands still while it ends
    may hold the interpreter's lock, and then no thread of it runs any more.
    """

    def watch() -> None:
        _wait_for_exit(parent)
        signal.setitimer(signal.ITIMER_REAL, seconds)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _wait_for_exit(parent: int) -> None:
    """Return as soon as our parent has exited."""
    try:
        descriptor = os.pidfd_open(parent)
    except (AttributeError, OSError):  # no such call, or it has exited
        descriptor = -1
    while os.getppid() == parent:
        if descriptor < 0:
            time.sleep(_LOOK_EVERY_SECONDS)  # the condition is another process
        else:
            select.select([descriptor], [], [])
    if descriptor >= 0:
        os.close(descriptor)
