"""tests/conformance: every vendor's stand, found in the folder of its stand-in."""

import importlib
from functools import cache

from sandbox.core.stand import Call, Noun, Stand

__all__ = ["Call", "Noun", "Stand", "stand_of"]


@cache
def stand_of(vendor: str) -> Stand:
    """What the vendor's folder calls STAND. Raises: ModuleNotFoundError."""
    return importlib.import_module(f"sandbox.{vendor}.stand").STAND
