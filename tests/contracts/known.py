"""tests/contracts: what exists in the deployment under test, so that generated calls meet more than 404."""

import asyncio
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.deals import LARGE, Deal, new_deal
from tests.support.instances import CRM_INSTANCE
from tests.support.stack import Caller, Stack, until

# Of nobody, so that an operator may do to them what he likes.
CONSUMER, PERSON = "of-nobody", "nobody@example.com"
APIS, PLAN = ("process/events@1", "process/exceptions@1"), "standard"
DECLARED = "partner-acme"  # has keys, which nobody uses


@dataclass(frozen=True)
class Known:
    """Deals in the states that a caller may meet, and the ids that came of them."""

    done: Deal
    parked: Deal
    waiting: Deal
    activation_id: str
    parked_id: str
    exception_id: str
    request_id: str
    customer_id: str
    dependencies: dict[str, list[str]]

    def words(self, tier: str, name: str) -> dict[str, list[str]]:
        """The ids that an API may be asked about, by parameter."""
        opportunities = [deal.opportunity_id for deal in (self.done, self.parked, self.waiting)]
        accounts = [deal.account_id for deal in (self.done, self.parked)]
        if tier == "gateway":
            return self.dependencies
        if (tier, name) == ("process", "customer-master"):
            return {
                "request_id": [self.request_id],
                "account_id": accounts,
            }
        if (tier, name) == ("system", "crm"):
            return {"opportunity_id": opportunities, "customer_id": accounts}
        return {
            "opportunity_id": opportunities,
            "account_id": accounts,
            "activation_id": [self.activation_id, self.parked_id],
            "workflow_id": [self.activation_id, self.parked_id],
            "customer_id": [self.customer_id],
            "flow": ["opportunity-to-project"],
            "exception_id": [self.exception_id],
            "instance": [CRM_INSTANCE],
        }


async def furnish(deployment: Stack) -> Known:
    """Let three deals become what they may become."""
    crm = deployment.accounts.crm
    done = await new_deal(crm, stage="won")
    parked = await new_deal(crm, rate_card=None)
    waiting = await new_deal(crm, stage="won", credit_limit=LARGE)
    async with deployment.caller("crm-screen") as screen, deployment.caller("ci") as ci:
        await parked.close()
        await asyncio.gather(screen.activate(done.opportunity_id), screen.activate(waiting.opportunity_id))
        finished = await screen.activation(done.opportunity_id, "done")
        stopped = await screen.activation(parked.opportunity_id, "parked")
        request = await _waiting_request(ci, waiting)
        activation = await ci.get(f"/process/opportunity-to-project/v1/activations/{finished['id']}")
    return Known(
        done=done,
        parked=parked,
        waiting=waiting,
        activation_id=finished["id"],
        parked_id=stopped["id"],
        exception_id=stopped["exception_id"],
        request_id=request,
        customer_id=activation["customer_id"],
        dependencies=await _office(deployment),
    )


async def _office(deployment: Stack) -> dict[str, list[str]]:
    """What operators name: a consumer and a person of nobody, subscriptions to decide and keys to revoke."""
    headers = {"Authorization": f"Bearer {deployment.token('platform', PERSON)}"}
    admin = f"{deployment.members[0].internal}/admin/v1"
    async with httpx.AsyncClient(base_url=admin, headers=headers, timeout=30) as http:

        async def ask(path: str, **body: str) -> dict[str, Any]:
            fresh = {"Idempotency-Key": uuid.uuid4().hex}
            answer = await http.post(path, json=body, headers=fresh)
            assert answer.status_code == 201, answer.text
            return answer.json()

        await ask("/consumers/consumers", name=CONSUMER, title="A consumer of nobody")
        wanted = {"consumer": CONSUMER, "plan": PLAN, "reason": "to be decided"}
        asked = [await ask("/subscriptions/subscriptions", api=api, **wanted) for api in APIS]
        made = [await ask("/keys/keys", consumer=DECLARED, title="to be revoked") for _ in range(2)]
        lines = (await http.get("/audit/lines", params={"limit": "1"})).json()
    return {
        "name": [CONSUMER],
        "consumer": [CONSUMER, DECLARED],
        "api": list(APIS),
        "plan": [PLAN],
        "subscription_id": [one["id"] for one in asked],
        "key_id": [one["key"]["id"] for one in made],
        "chain": [one["chain"] for one in lines["items"]],
        "person": [PERSON],
    }


async def _waiting_request(ci: Caller, deal: Deal) -> str:
    async def look() -> str:
        found = await ci.get("/process/customer-master/v1/requests", status="waiting")
        mine = [item["id"] for item in found["items"] if item["proposal"]["account_id"] == deal.account_id]
        return mine[0] if mine else ""

    return await until(f"finance is asked about {deal.name}", look)
