"""The admin API of the current policy."""

from contracts.admin.policy import Explanation, PolicyInForce, PolicyRefused
from gateway.policy_runtime import PolicyRuntime


class PolicyService:
    """Answers the policy of the process that handles the request."""

    def __init__(self, runtime: PolicyRuntime) -> None:
        self._runtime = runtime

    async def get_in_force(self) -> PolicyInForce:
        """The policy that new requests meet."""
        bundle, refused = self._runtime.bundle, self._runtime.reloader.refused
        return PolicyInForce(
            digest=bundle.digest,
            since=bundle.since,
            folder=str(bundle.folder or ""),
            refused=PolicyRefused(refused.at, tuple(refused.faults)) if refused else None,
            restart_required=tuple(self._runtime.restart_required()),
        )

    async def explain(self, method: str, path: str, consumer: str, person: str | None = None) -> Explanation:
        """Every rule that would apply to the request, in order."""
        return await self._runtime.explain(method, path, consumer, person or "")
