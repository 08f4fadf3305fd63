"""The admin API of plans: those of gateway.toml."""

from contracts.admin.plans import LimitOffered, PlanOffered, PlansOffered
from gateway.plans import Plan
from gateway.policy_runtime import PolicyRuntime


class PlansService:
    """Answers the plans of the current policy."""

    def __init__(self, runtime: PolicyRuntime) -> None:
        self._runtime = runtime

    async def list_plans(self) -> PlansOffered:
        """Every plan, by name."""
        plans = self._runtime.settings.plans
        return PlansOffered(tuple(_offered(name, plan) for name, plan in sorted(plans.items())))


def _offered(name: str, plan: Plan) -> PlanOffered:
    return PlanOffered(
        name=name,
        title=plan.title,
        limits=tuple(LimitOffered(limit.name, limit.requests, limit.seconds) for limit in plan.limits),
        lane=plan.lane,
        approval=plan.approval,
        concurrency=plan.concurrency,
        monthly_quota=plan.monthly_quota,
        credentials=plan.credentials or (),
        data_classes=plan.data_classes or (),
        entities=plan.entities or (),
    )
