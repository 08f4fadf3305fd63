"""deploy/demo: how to use the running deployment: its addresses, tokens and a call to every tier."""

from collections.abc import Iterator
from pathlib import Path

from deploy.console import Paper
from deploy.demo.cast import CRM, SALES, find_role
from deploy.demo.running import FINANCE, OPERATIONS, PERSONAS
from deploy.process.stack import Stack
from gateway.identity import DevelopmentIssuer


def welcome(console: Paper, stack: Stack, issuer: DevelopmentIssuer, opportunity: str) -> None:
    """Print addresses, tokens and calls, ready to be copied into a shell."""

    def line(text: str = "") -> None:
        console.print(text, soft_wrap=True)

    line()
    line(f"gateway          {stack.gateway}")
    line(f"API catalogue    {stack.gateway}/apis")
    for vendor, url in stack.sandboxes.items():
        line(f"{vendor:<16} {url}   (control: {url}/__control/accounts/story)")
    line()
    line("tokens for an hour (more with `enfilade token --as …`):")
    for name in (SALES, FINANCE, OPERATIONS):
        line(f"{_variable(name)}={issuer.mint(name, subject=PERSONAS[name])}")
    line()
    line("one call per tier:")
    for token, path in _calls(Path(stack.config), opportunity):
        line(f'curl -H "Authorization: Bearer ${_variable(token)}" "{stack.gateway}{path}"')
    line()
    line("Serving until Ctrl-C. Run it again: `enfilade demo`; show a whole path: `enfilade trace ID`.")


def _calls(config: Path, opportunity: str) -> Iterator[tuple[str, str]]:
    """One call per tier, with whose token; of the system tier where a CRM is configured."""
    if crm := find_role(config, CRM):
        yield OPERATIONS, f"/system/{crm.instance}/crm/v1/opportunities?limit=3"
    yield OPERATIONS, "/process/opportunity-to-project/v1/activations?limit=3"
    yield SALES, f"/experience/crm-ui/v1/opportunities/{opportunity}/activation"


def _variable(consumer: str) -> str:
    return consumer.upper().replace("-", "_")
