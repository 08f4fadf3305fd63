"""What the stand-in vendors share: accounts, clock, call log, faults, notifications, control API, server."""

from sandbox.core.accounts import Account, World
from sandbox.core.clock import Clock
from sandbox.core.vendor import ControlError, Vendor
from sandbox.core.wire import answer, body_of, dumps, loads, origin

__all__ = [
    "Account",
    "Clock",
    "ControlError",
    "Vendor",
    "World",
    "answer",
    "body_of",
    "dumps",
    "loads",
    "origin",
]
