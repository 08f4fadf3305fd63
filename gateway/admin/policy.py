"""The admin API of the policy: what is in force."""

from typing import TYPE_CHECKING

from contracts.admin.policy import PolicyInForce

if TYPE_CHECKING:
    from gateway.app import Gateway


class PolicyService:
    """Tells of the policy of the process that is asked."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    async def get_in_force(self) -> PolicyInForce:
        """The policy that new requests meet."""
        rulebook = self._gateway.rulebook
        return PolicyInForce(digest=rulebook.digest, since=rulebook.since, folder=str(rulebook.folder or ""))
