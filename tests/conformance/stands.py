"""tests/conformance: every vendor's stand, found in the folder of its stand-in."""

from sandbox.core.stand import Call, Noun, Stand
from sandbox.folders import stand_of

__all__ = ["Call", "Noun", "Stand", "stand_of"]
