"""schemathesis over every frozen document, against a real deployment: default checks, one seed."""

import json
import re
import uuid
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from contracts.operation import Api
from deploy.composition.interfaces import frozen, interfaces
from gateway.plans import read_consumers
from kit.operations import api_of, bind
from tests.contracts.known import CONSUMER, Known
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE
from tests.support.stack import DEMO_CONFIG, Stack

SEED = 20_260_105
SAMPLE, WHOLE = 5, 25
_KEY = re.compile(r"[A-Za-z0-9_\-]{8,128}")
_VERSION = re.compile(r'"[!#-~]+"')
CALLERS = read_consumers(DEMO_CONFIG / "consumers.toml").keys()
_INSTANCES = {"crm": CRM_INSTANCE, "erp": ERP_INSTANCE, "psa": PSA_INSTANCE}
_BODY_NAMES = {"instance", "account_id", "opportunity_id", "customer_id", "consumer", "api", "plan", "person"}


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key is for one effect: every call with a good one gets its own. A version that fits is any (`*`).

    Whom an operator suspends is nobody by whom other tests call.
    """
    if (case.path_parameters or {}).get("name") in CALLERS:
        case.path_parameters["name"] = CONSUMER
    headers = case.headers or {}
    if _KEY.fullmatch(str(headers.get("Idempotency-Key", ""))):
        headers["Idempotency-Key"] = uuid.uuid4().hex
    if _VERSION.fullmatch(str(headers.get("If-Match", ""))):
        headers["If-Match"] = "*"


# They hold what a body names against what there is and who was granted what, and tell where it does not fit.
_JUDGING = (
    "consumers.register_consumer",
    "keys.create_key",
    "keys.revoke_tokens",
    "subscriptions.request_subscription",
)
# Whom a decision merges with, and at which stage a link is written, is judged by what the vendors have.
_JUDGED_BY_THE_VENDOR = ("customer_master.decide_request", "crm.put_project_link")
# A cursor that no list made is refused, and so is a request without any of the criteria that it must have.
_BEYOND_SCHEMAS = tuple(
    bound.operation_id
    for interface in interfaces()
    for bound in bind(interface)
    if "cursor" in bound.parameters or bound.operation.any_of
)
# What may be corrected, and after which request an account is proposed anew, depends on the run.
_JUDGED_BY_THE_FLOW = (
    "customer_master.propose_customer",
    "exceptions.resolve_alike",
    "exceptions.resolve_exception",
    "workflows.replay_workflow",
)
_MAY_REFUSE = {"expected-statuses": ["2xx", 403, 404, 409, 412, 422]}


def name_of(interface: type) -> str:
    return api_of(interface).slug


EVERY = list(interfaces())


@pytest.mark.parametrize("interface", EVERY, ids=name_of)
def test_the_house_keeps_what_the_document_promises(interface: type, deployment: Stack, known: Known) -> None:
    """No generated request, good or bad, is answered otherwise than documented."""
    expect_kept(interface, deployment, known, SAMPLE)


@pytest.mark.whole
@pytest.mark.parametrize("interface", EVERY, ids=name_of)
def test_it_keeps_them_for_longer(interface: type, deployment: Stack, known: Known) -> None:
    """The same with many more examples, every boundary of each field of its schemas, and along the links."""
    expect_kept(interface, deployment, known, WHOLE)


def expect_kept(interface: type, deployment: Stack, known: Known, examples: int) -> None:
    broken = broken_promises(interface, deployment, known, examples)
    if broken:
        pytest.fail(f"{len(broken)} broken:\n\n" + "\n\n".join(broken), pytrace=False)


def broken_promises(interface: type, deployment: Stack, known: Known, examples: int) -> list[str]:
    """Everything that schemathesis finds, a text each."""
    api = api_of(interface)
    config = SchemathesisConfig.from_dict(settings(api, deployment, known, examples))
    schema = schemathesis.openapi.from_dict(frozen(interface), config=config)

    found: dict[str, None] = {}
    tried = 0
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            tried += len(event.recorder.interactions)
            found |= dict.fromkeys(_failures(event.recorder))
        elif isinstance(event, events.NonFatalError):
            found[f"{event.label}: {event.value!r}"] = None
        elif isinstance(event, events.FatalError):
            raise event.exception
    assert found or tried, "schemathesis has not called at all"
    return list(found)


def settings(api: Api, deployment: Stack, known: Known, examples: int) -> dict[str, Any]:
    """schemathesis's own settings: everything on, as the defaults are; only seed, number and ids are ours."""
    words = known.words(api.tier, api.name)
    return {
        "seed": SEED,
        "base-url": public(api, deployment) + api.prefix.replace("{instance}", _INSTANCES.get(api.name, "")),
        "headers": {"Authorization": f"Bearer {token(api, deployment)}"},
        # 428 is the status for this very header (RFC 6585), unknown to the check's own list.
        "checks": {"missing_required_header": {"expected-statuses": [400, 401, 403, 406, 415, 422, 428]}},
        "operations": [
            {"include-operation-id": name, "checks": {"positive_data_acceptance": _MAY_REFUSE}}
            for name in (
                *_JUDGING,
                *_JUDGED_BY_THE_VENDOR,
                *_JUDGED_BY_THE_FLOW,
                *_BEYOND_SCHEMAS,
            )
        ],
        "generation": {"max-examples": examples, "database": "none"},
        # These call some hundred times for each API, however few examples are asked for.
        "phases": {name: {"enabled": examples == WHOLE} for name in ("coverage", "stateful")},
        "dictionaries": {name: {"values": values} for name, values in words.items()},
        "parameters": {
            f"{place}.{name}": {"dictionary": name, "probability": 0.5}
            for name in words
            for place in ("path", "body")
            if place == "path" or name in _BODY_NAMES
        },
    }


def public(api: Api, deployment: Stack) -> str:
    """The listener at which the API stands."""
    return deployment.members[0].internal if api.tier == "gateway" else deployment.url


def token(api: Api, deployment: Stack) -> str:
    """Of somebody who may do all that the API offers."""
    claims = {"instance": CRM_INSTANCE} if api.tier == "experience" else {}
    return deployment.token("ci", "cecil", **claims)


def _failures(recorder: Any) -> list[str]:
    found = []
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is None:
                continue
            call = recorder.interactions[case_id]
            said = call.response.content[:400] if call.response is not None else b""
            request = {"method": call.request.method, "uri": call.request.uri, "body": call.request.body}
            found.append(
                f"{check.name}: {check.failure_info.failure.title}: {check.failure_info.failure.message}\n"
                f"  {json.dumps(request, default=lambda value: value.decode(errors='replace'))}\n  {said!r}"
            )
    return found
