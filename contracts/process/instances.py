"""The instances: the vendors' accounts that the configuration has, and what is a fact of each."""

from typing import Protocol

import msgspec

from contracts.operation import api, operation
from contracts.system.instance import InstanceFacts


class Instances(msgspec.Struct, frozen=True):
    """All instances that the caller may know of, by name."""

    items: tuple[InstanceFacts, ...]


@api(
    "process",
    "instances",
    version=1,
    summary="The vendors' accounts that are configured, and the facts of each",
    data_classes=("commercial",),
)
class InstanceDirectory(Protocol):
    """What the profiles say; no vendor is asked."""

    @operation("GET", "/instances", summary="List the instances with their facts")
    async def list_instances(self) -> Instances:
        """Every instance, by name; to a caller that is bound to instances, these."""
        ...
