"""The API of the instances: what their profiles say of them."""

from contracts.process.instances import Instances
from kit.database.rows import bounds
from process_apis.systems import Systems


class InstanceDirectoryService:
    """The instances that the caller may know of; one that is bound by anything else sees none."""

    def __init__(self, systems: Systems) -> None:
        self._systems = systems

    async def list_instances(self) -> Instances:
        """Every instance, by name."""
        bound = bounds()
        known = (facts for _, facts in sorted(self._systems.facts.items()))
        return Instances(
            tuple(
                each
                for each in known
                if all(by == "instance" and each.name in names for by, names in bound.items())
            )
        )
