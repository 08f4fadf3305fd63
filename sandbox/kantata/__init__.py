"""The Kantata OX stand-in (its API is still Mavenlink's)."""

from sandbox.kantata.vendor import Kantata

VENDOR = Kantata()

__all__ = ["VENDOR", "Kantata"]
