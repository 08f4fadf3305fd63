"""deploy: processes that end when the one that started them ends, however it ends (Linux)."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM once our parent has exited, also when it was killed."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it exited before the request took effect
        os.kill(os.getpid(), signal.SIGTERM)
