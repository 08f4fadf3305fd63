"""The policy bundle: all policy files, read together as one version."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from contracts.duties import Duties
from contracts.routing import Routing
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, ConsumersFile
from gateway.plans.reading import parse
from kit import clock
from kit.settings import SettingsError
from kit.toml_lines import line_of, lines_of

__all__ = ["FILES", "PolicyBundle", "make_bundle", "read_bundle", "read_texts", "read_valid_files"]

POLICIES, CONSUMERS, DUTIES, ROUTING = "gateway.toml", "consumers.toml", "duties.toml", "routing.toml"
FILES = (POLICIES, CONSUMERS, DUTIES, ROUTING)
"""The files that are reloaded without a restart; every other file of the folder needs one."""

_NO_DUTIES, _NO_ROUTES = Duties({}, ()), Routing(())


@dataclass(frozen=True, slots=True)
class PolicyBundle:
    """A whole policy. `digest` is a hash of its content, independent of the layout of its files.

    `lines` maps the places of each file to their lines.
    """

    settings: GatewaySettings
    consumers: Mapping[str, Consumer]
    digest: str
    since: dt.datetime
    duties: Duties = _NO_DUTIES
    routing: Routing = _NO_ROUTES
    folder: Path | None = None
    lines: Mapping[str, dict[str, int]] = field(default_factory=dict)

    def source(self, file: str, place: str) -> str:
        """The file and line of a rule, ``gateway.toml:12``; or that it is a default."""
        lines = self.lines.get(file, {})
        if place not in lines:
            return f"{file}, by default"
        return f"{file}:{lines[place]}"


def make_bundle(
    settings: GatewaySettings,
    consumers: Mapping[str, Consumer],
    duties: Duties | None = None,
    routing: Routing | None = None,
    *,
    folder: Path | None = None,
    lines: Mapping[str, dict[str, int]] | None = None,
) -> PolicyBundle:
    """A policy bundle of these parts; one that was made in code has neither `folder` nor `lines`."""
    duties, routing = duties or _NO_DUTIES, routing or _NO_ROUTES
    content = msgspec.json.encode([settings, dict(consumers), duties, routing], order="sorted")
    digest = hashlib.sha256(content).hexdigest()[:16]
    return PolicyBundle(settings, consumers, digest, clock.now(), duties, routing, folder, lines or {})


def read_bundle(folder: Path) -> PolicyBundle:
    """The policy files of a folder; raises SettingsError with every fault, its file and its line."""
    return parse_bundle(folder, read_texts(folder))


def read_texts(folder: Path) -> dict[str, str]:
    """The texts of the policy files by name; raises SettingsError for those that cannot be read."""
    texts, faults = _texts(folder)
    if faults:
        raise SettingsError(faults)
    return texts


def parse_bundle(folder: Path, texts: Mapping[str, str]) -> PolicyBundle:
    """The policy bundle in the texts of a folder's policy files; raises SettingsError."""
    bundle, faults = _parsed(folder, texts)
    if faults:
        raise SettingsError(faults)
    return bundle


def read_valid_files(folder: Path) -> tuple[PolicyBundle, list[str]]:
    """A bundle of the policy files that can be read, the others being empty, and every fault of the others.

    The files that can be read are those of its `lines`.
    """
    texts, faults = _texts(folder)
    bundle, more = _parsed(folder, texts)
    return bundle, [*faults, *more]


def _texts(folder: Path) -> tuple[dict[str, str], list[str]]:
    texts: dict[str, str] = {}
    faults: list[str] = []
    for name in FILES:
        try:
            texts[name] = (folder / name).read_text(encoding="utf-8")
        except OSError as error:
            faults.append(f"{folder / name}: {error.strerror}")
        except UnicodeDecodeError as error:
            faults.append(f"{folder / name}: is not UTF-8 ({error.reason} at byte {error.start})")
    return texts, faults


def _parsed(folder: Path, texts: Mapping[str, str]) -> tuple[PolicyBundle, list[str]]:
    parts: dict[str, Any] = {
        POLICIES: GatewaySettings(),
        CONSUMERS: ConsumersFile({}),
        DUTIES: _NO_DUTIES,
        ROUTING: _NO_ROUTES,
    }
    faults: list[str] = []
    lines: dict[str, dict[str, int]] = {}
    for name, text in texts.items():
        try:
            parts[name] = parse(text, type(parts[name]), str(folder / name))
            lines[name] = lines_of(text)
        except SettingsError as error:
            faults += error.faults
    settings, consumers, duties, routing = parts.values()
    return make_bundle(settings, consumers.consumers, duties, routing, folder=folder, lines=lines), faults


def placed(bundle: PolicyBundle, error: SettingsError) -> SettingsError:
    """The same faults, each with the file and line of its place, where these are known."""
    return SettingsError([_placed(bundle, fault) for fault in error.faults])


def _placed(bundle: PolicyBundle, fault: str) -> str:
    place, _, _ = fault.partition(": ")
    for file, lines in bundle.lines.items():
        if place.split(".")[0] in lines:
            return f"{(bundle.folder or Path()) / file}:{line_of(lines, place)}: {fault}"
    return fault
