"""The Salesforce stand-in, as the conformance suites know it."""

from typing import Any

from sandbox.core.console import new_deal
from sandbox.core.stand import Stand
from sandbox.salesforce.console import CONSOLE


async def _deal(account: Any, **fields: Any) -> tuple[str, str]:
    customer = {"currency": fields["currency"]} if "currency" in fields else {}
    return await new_deal(CONSOLE(account), customer=customer, **fields)


STAND = Stand(
    reads=("GET", "/query"),
    writes=("POST", "/composite"),
    breaks={"records": [{"Id": 5, "Name": None}], "done": True},
    deal=_deal,
)
