"""deploy: every declared interface of the deployment, and its frozen document."""

import importlib
import inspect
import json
import pkgutil
from pathlib import Path
from typing import Any

import contracts
from contracts.operation import Api
from kit.operations import api_of, document

PACKAGES = ("system", "process", "experience", "admin")
FROZEN = Path(contracts.__file__).parent / "openapi"


def interfaces() -> list[type]:
    """All interfaces that contracts/ declares, by tier and name."""
    interfaces = {
        kind
        for package in PACKAGES
        for module in pkgutil.iter_modules(importlib.import_module(f"contracts.{package}").__path__)
        for _, kind in inspect.getmembers(
            importlib.import_module(f"contracts.{package}.{module.name}"), inspect.isclass
        )
        if isinstance(vars(kind).get("__api__"), Api)
    }
    return sorted(interfaces, key=lambda kind: api_of(kind).slug)


def frozen_path(interface: type) -> Path:
    """The path of the interface's frozen document."""
    api = api_of(interface)
    return FROZEN / api.tier / f"{api.name}.v{api.version}.json"


def frozen(interface: type) -> dict[str, Any]:
    """The frozen document of an interface; raises FileNotFoundError when it was never frozen."""
    return json.loads(frozen_path(interface).read_text(encoding="utf-8"))


def text_of(interface: type) -> str:
    """The document as it would be frozen now."""
    return json.dumps(document(interface), indent=2, ensure_ascii=False, sort_keys=False) + "\n"


def freeze() -> list[Path]:
    """Write every document that differs from its frozen form; answers which."""
    written = []
    for interface in interfaces():
        path = frozen_path(interface)
        text = text_of(interface)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def drifted() -> list[str]:
    """What differs between the running code and the frozen documents, a sentence each."""
    faults = []
    expected = set()
    for interface in interfaces():
        path = frozen_path(interface)
        expected.add(path)
        name = api_of(interface).slug
        if not path.exists():
            faults.append(f"{name} has no frozen document; run `enfilade contracts freeze`")
        elif path.read_text(encoding="utf-8") != text_of(interface):
            faults.append(f"{name} differs from its frozen document {path.name}")
    faults += [
        f"{path.name} is frozen, but no interface declares it"
        for path in FROZEN.rglob("*.json")
        if path not in expected
    ]
    return faults
