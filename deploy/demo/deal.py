"""deploy/demo: the deal that is won: an open one of the CRM, or the next phase of one if none is left."""

from sandbox.core.console import CrmConsole, Deal

_FOLLOWED = "Globex data platform"


async def choose_deal(crm: CrmConsole) -> Deal:
    """The first open deal that lacks nothing, or a follow-up of an old one."""
    deals = await crm.deals()
    ready = [deal for deal in deals if deal.is_ready]
    return ready[0] if ready else await _follow_up(crm, deals)


async def _follow_up(crm: CrmConsole, deals: list[Deal]) -> Deal:
    """A new deal of the same customer: the next phase."""
    phases = [deal for deal in deals if deal.name.startswith(_FOLLOWED)]
    model = phases[0] if phases else next(deal for deal in deals if deal.service_line)
    made = await crm.copy_deal(model.id, name=f"{_FOLLOWED}, phase {len(phases) + 1}")
    return await crm.deal(made)
