"""The Toy CRM stand-in, as the conformance suites know it."""

from typing import Any

from sandbox.toycrm.console import CONSOLE
from sandbox.toycrm.golden import GOLDEN

from sandbox.core.console import new_deal
from sandbox.core.stand import Stand


async def _deal(account: Any, **fields: Any) -> tuple[str, str]:
    customer = {"currency": fields["currency"]} if "currency" in fields else {}
    return await new_deal(CONSOLE(account), customer=customer, **fields)


STAND = Stand(
    reads=("GET", "/deals"),
    writes=("PATCH", "/deals/"),
    breaks={"id": 5, "title": None},
    effects=(("PATCH", "/deals/"),),
    deal=_deal,
    golden=GOLDEN,
)
