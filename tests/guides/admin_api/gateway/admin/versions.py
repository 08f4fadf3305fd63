"""The admin API of versions: those of contracts/versions.toml."""

from contracts.admin.versions import VersionState, VersionStates
from gateway.inventory import ApiInventory


class VersionsService:
    """Answers the lifecycles with which the gateway started."""

    def __init__(self, inventory: ApiInventory) -> None:
        self._inventory = inventory

    async def list_versions(self) -> VersionStates:
        """Every version, by name."""
        known = sorted(self._inventory.lifecycles.items())
        return VersionStates(
            tuple(VersionState(slug, one.state, one.owner, one.since, one.sunset) for slug, one in known)
        )
