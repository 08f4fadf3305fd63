"""What every flow works out in observe mode is, byte for byte, what it sends when it is live."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

import process_apis.app
from contracts.canonical.workflow import Mode, PlannedRequest
from contracts.problems import NotFound
from contracts.process.customer_master import CustomerMaster, CustomerProposal
from contracts.process.opportunity_to_project import ActivationRequest, OpportunityToProject
from contracts.process.projects import ProjectView
from deploy.composition import assemble as assembling
from deploy.settings import read_settings
from experience_apis.audiences.crm_ui.compose import account_screen
from kit import clients, context
from kit.operations import Bound, bind
from kit.workflows import RunRow
from tests.support.deals import Deal, new_deal
from tests.support.deployments import MakeDeployment
from tests.support.instances import CRM_INSTANCE
from tests.support.servers import create_database, drop_database
from tests.support.stack import Stack, until

# Those that have a durable workflow, by the names of their folders.
FLOWS: dict[str, type] = {
    module.__name__.rpartition(".")[2]: module.INTERFACE
    for module in process_apis.app.modules()
    if find_spec(f"{module.__name__}.steps")
}
Start = Callable[[Any, Deal], Awaitable[Any]]

# How a flow of its interface is begun with a deal's data.
STARTS: dict[type, Start] = {
    OpportunityToProject: lambda flow, deal: flow.start_activation(
        ActivationRequest(CRM_INSTANCE, deal.opportunity_id, within=10)
    ),
    CustomerMaster: lambda flow, deal: flow.propose_customer(
        CustomerProposal(CRM_INSTANCE, deal.account_id, "NB-UK", "GBP", "Net 30")
    ),
}


@dataclass
class Sent:
    """What left the flows of a process, in order, each with the run that it left and with its answer."""

    calls: list[tuple[str, PlannedRequest, Any]] = field(default_factory=list)

    def of(self, run_id: str) -> list[tuple[PlannedRequest, Any]]:
        return [(request, answer) for run, request, answer in self.calls if run == run_id]


def recording(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every local client write down what it carries; it carries it as ever."""
    plain = clients.local

    def local(interface: type, implementation: Any, prefix: str | None = None) -> Any:
        client = plain(interface, implementation, prefix)
        writing = {bound.name: bound for bound in bind(interface) if bound.operation.access != "read"}
        return Tap(client, writing, sent)

    monkeypatch.setattr(assembling, "local", local)
    monkeypatch.setattr(process_apis.app, "local", local)


class Tap:
    """A client that writes down the writes."""

    def __init__(self, client: Any, writing: dict[str, Bound], sent: Sent) -> None:
        self._client, self._writing, self._sent = client, writing, sent

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return method if name not in self._writing else self._tapped(self._writing[name], method)

    def _tapped(self, bound: Bound, method: Any) -> Any:
        async def call(*arguments: Any) -> Any:
            here, keyed = context.current(), len(arguments) == 1 and bound.operation.idempotency == "key"
            key, body = (here.idempotency_key, arguments[0]) if keyed else arguments
            text = msgspec.json.encode(body).decode()
            answer = await method(*arguments)
            request = PlannedRequest(here.step, "", bound.operation_id, key, text)
            self._sent.calls.append((here.workflow_id, request, answer))
            return answer

        return call


@asynccontextmanager
async def process(stack: Stack, url: str, mode: Mode) -> AsyncIterator[Any]:
    """System and process tier of the deployment in this process, on a database of their own."""
    stack.database_url = url
    sections = [f'[{name}]\ndefault_mode = "{mode}"\n' for name in FLOWS]
    limit = "[customer_master.policy.approve_credit_limit_above]\nGBP = 100000\n"
    (stack.config / "flows.toml").write_text("".join([*sections, limit]), encoding="utf-8")
    environment = stack.environment(
        ENFILADE_TIERS="system,process", ENFILADE_INTERNAL_KEY="env:KEY", KEY="k" * 32
    )
    async with assembling.assemble(read_settings(environment), environment) as deployment:
        yield deployment


async def ended(deployment: Any, interface: type, deal: Deal) -> RunRow:
    """The run of a flow that was begun with the deal, once it has come to its end."""
    started = await STARTS[interface](deployment.tiers.modules[interface].service, deal)

    async def look() -> RunRow | None:
        row = await deployment.tiers.runtime.read(started.id)
        return row if row.finished_at else None

    return await until("the run has ended", look)


async def shown_as_observed(deployment: Any, deal: Deal) -> None:
    """The account shows the deal as observed, and counts no money of it."""
    service = deployment.tiers.modules[ProjectView].service

    async def look() -> Any:
        try:
            overview = await service.get_account(CRM_INSTANCE, deal.account_id)
        except NotFound:
            return None  # not yet
        return overview if [item.activation_status for item in overview.items] == ["observed"] else None

    overview = await until("the account shows the observed deal", look)
    assert account_screen(overview, overview.as_of).totals == ()


def named(sent: Sent, row: RunRow) -> dict[str, str]:
    """What the placeholders stand for, by what came back when the same was sent."""
    names = {f"<our {noun}>": row.data.get(f"{noun}_id", "") for noun in ("contract", "project")}
    for _, request, answer in sent.calls:
        noun = request.operation.partition(".put_")[2]
        names[f"<{noun}>"] = getattr(answer, "number", "") or answer.id
        names[f"<{noun} url>"] = next((ref.url for ref in answer.refs if ref.url), "")
    return names


@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
@pytest.mark.parametrize("flow", FLOWS)
async def test_what_a_flow_would_send_is_what_it_sends(
    make_deployment: MakeDeployment,
    addresses: dict[str, str],
    fresh_database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    flow: str,
) -> None:
    """Observed, no vendor is asked for a write; live, the recorded requests leave, with ids for brackets."""
    interface = FLOWS[flow]
    async with make_deployment("observed", fresh_database_url) as stack:
        deal = await new_deal(stack.accounts.crm, stage="won")
        observed = Sent()
        recording(observed, monkeypatch)
        async with process(stack, fresh_database_url, "observe") as deployment:
            row = await ended(deployment, interface, deal)
            planned = await deployment.tiers.runtime.planned_requests(row.id)
            if interface is OpportunityToProject:
                await shown_as_observed(deployment, deal)
        assert (row.status, observed.calls) == ("observed", [])
        assert [call for account in stack.accounts.all for call in await account.changing_calls()] == []
        monkeypatch.undo()
        sent = Sent()
        recording(sent, monkeypatch)
        url = create_database(addresses["database_url"], f"live_{fresh_database_url.rpartition('/')[2]}")
        async with process(stack, url, "live") as deployment:
            row = await ended(deployment, interface, deal)
        drop_database(addresses["database_url"], url.rpartition("/")[2])
        assert row.status == "done", row.status_text
    names = named(sent, row)
    expected = []
    for request in planned:
        body = request.body
        for placeholder, name in names.items():
            body = body.replace(placeholder, name)
        expected.append((request.step, request.operation, request.key, body))
    assert expected == [
        (request.step, request.operation, request.key, request.body) for request, _ in sent.of(row.id)
    ]
    assert bool(planned) == bool(find_spec(f"process_apis.flows.{flow}.effects"))
