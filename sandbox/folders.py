"""What a vendor's folder holds: the stand-in, its example profile, its console and its conformance stand."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

import sandbox
from sandbox.core.console import Console
from sandbox.core.stand import Stand
from sandbox.core.vendor import Vendor


def vendors() -> list[str]:
    """The folders beside core, each a vendor."""
    return sorted(m.name for m in pkgutil.iter_modules(sandbox.__path__) if m.ispkg and m.name != "core")


def default_port(vendor: str) -> int:
    """The port on which its stand-in listens unless another is given. Raises: ModuleNotFoundError."""
    return _package(vendor).DEFAULT_PORT


def own_options(vendor: str) -> dict[str, str]:
    """The whole-number options that only this stand-in takes, with their help."""
    return getattr(_package(vendor), "OPTIONS", {})


def stand_in_of(vendor: str) -> Vendor:
    """The stand-in. Raises: ModuleNotFoundError."""
    return importlib.import_module(f"sandbox.{vendor}.vendor").VENDOR


def console_of(vendor: str) -> type[Console]:
    """The class of its console. Raises: ModuleNotFoundError."""
    return importlib.import_module(f"sandbox.{vendor}.console").CONSOLE


def stand_of(vendor: str) -> Stand:
    """Its conformance stand. Raises: ModuleNotFoundError."""
    return importlib.import_module(f"sandbox.{vendor}.stand").STAND


def profile_of(vendor: str) -> Path:
    """Where the example of an instance's profile lies."""
    return Path(str(_package(vendor).__file__)).with_name("profile.toml")


def _package(vendor: str) -> Any:
    return importlib.import_module(f"sandbox.{vendor}")
