"""deploy/demo: how to use the running deployment: its addresses, tokens and a call to every tier."""

from pathlib import Path

from deploy.console import Paper
from deploy.demo.cast import CRM, SALES, read_cast
from deploy.demo.running import FINANCE, OPERATIONS, PERSONAS
from deploy.process.stack import Stack
from gateway.identity import DevelopmentIssuer


def welcome(console: Paper, stack: Stack, issuer: DevelopmentIssuer, opportunity: str) -> None:
    """Print addresses, tokens and calls, ready to be copied into a shell."""

    def line(text: str = "") -> None:
        console.print(text, soft_wrap=True)

    crm = read_cast(Path(stack.config))[CRM].instance
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
    for token, path in (
        (OPERATIONS, f"/system/{crm}/crm/v1/opportunities?limit=3"),
        (OPERATIONS, "/process/opportunity-to-project/v1/activations?limit=3"),
        (SALES, f"/experience/crm-ui/v1/opportunities/{opportunity}/activation"),
    ):
        line(f'curl -H "Authorization: Bearer ${_variable(token)}" "{stack.gateway}{path}"')
    line()
    line("Serving until Ctrl-C. Run it again: `enfilade demo`; show a whole path: `enfilade trace ID`.")


def _variable(consumer: str) -> str:
    return consumer.upper().replace("-", "_")
