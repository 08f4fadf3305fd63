"""The rulebook: all files that make the policy, read together as one version."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gateway.pipeline import Settings
from gateway.plans import Consumer, read, read_consumers
from kit import clock

__all__ = ["Rulebook", "make_rulebook", "read_rulebook"]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """A policy, whole. `digest` names what it says, not how its files are laid out."""

    settings: Settings
    consumers: Mapping[str, Consumer]
    digest: str
    since: dt.datetime
    folder: Path | None = None


def make_rulebook(
    settings: Settings, consumers: Mapping[str, Consumer], folder: Path | None = None
) -> Rulebook:
    """The rulebook of settings and consumers that were read, or made in code."""
    said = msgspec.json.encode([settings, dict(consumers)], order="sorted")
    digest = hashlib.sha256(said).hexdigest()[:16]
    return Rulebook(settings, consumers, digest, clock.now(), folder)


def read_rulebook(folder: Path) -> Rulebook:
    """The policy files of a folder; raises SettingsError with every fault."""
    settings = read(folder / "gateway.toml", Settings)
    return make_rulebook(settings, read_consumers(folder / "consumers.toml"), folder)
