"""The admin API of the policy: what is in force."""

from typing import TYPE_CHECKING

from contracts.admin.policy import Explanation, PolicyInForce, PolicyRefused

if TYPE_CHECKING:
    from gateway.app import Gateway


class PolicyService:
    """Tells of the policy of the process that is asked."""

    def __init__(self, gateway: "Gateway") -> None:
        self._gateway = gateway

    async def get_in_force(self) -> PolicyInForce:
        """The policy that new requests meet."""
        bundle, refused = self._gateway.bundle, self._gateway.refused
        return PolicyInForce(
            digest=bundle.digest,
            since=bundle.since,
            folder=str(bundle.folder or ""),
            refused=PolicyRefused(refused.at, tuple(refused.faults)) if refused else None,
            restart_required=tuple(self._gateway.restart_required),
        )

    async def explain(self, method: str, path: str, consumer: str, person: str | None = None) -> Explanation:
        """Every rule that the request would meet, in order."""
        return await self._gateway.explain(method, path, consumer, person or "")
