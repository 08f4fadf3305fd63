"""What a vendor must be able to do, by capability: one interface each, whatever the vendor."""

import importlib
import pkgutil
from functools import cache

from contracts.operation import Api


@cache
def capabilities() -> dict[str, type]:
    """The interfaces of all capabilities by their names, as the modules of this package declare them."""
    interfaces: dict[str, type] = {}
    for module in pkgutil.iter_modules(__path__):
        for kind in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            declared = getattr(kind, "__api__", None)
            if isinstance(declared, Api):
                interfaces[declared.name] = kind
    return interfaces
