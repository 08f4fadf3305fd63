"""tests/contracts: one row per problem that a document names: which tier, which code, how one gets it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from contracts.problems import catalogue
from tests.contracts.public_gateway import MARK, PublicGateway, fresh, settled
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE

How = Callable[[PublicGateway], Awaitable[httpx.Response]]

CRM, ERP, PSA = (
    f"/system/{CRM_INSTANCE}/crm/v1",
    f"/system/{ERP_INSTANCE}/erp/v1",
    f"/system/{PSA_INSTANCE}/psa/v1",
)
ACTIVATIONS = "/process/opportunity-to-project/v1/activations"
REQUESTS = "/process/customer-master/v1/requests"
EXCEPTIONS = "/process/exceptions/v1/exceptions"
SCREEN = "/experience/crm-ui/v1"

READS = {
    "system": f"{ERP}/customers/101",
    "process": ACTIVATIONS,
    "experience": f"{SCREEN}/accounts/001000000000000AAA/overview",
}
WRITES = {"system": ("PUT", f"{ERP}/customers/by-key/never-made"), "process": ("POST", REQUESTS)}
PROPOSAL = {
    "instance": CRM_INSTANCE,
    "account_id": "001000000000000AAA",
    "selling_entity": "NB-UK",
    "currency": "GBP",
}
CUSTOMER = {"legal_name": "Never Made Ltd", "selling_entity": "NB-UK", "currency": "GBP"}
BODIES = {"system": CUSTOMER, "process": PROPOSAL}


@dataclass(frozen=True)
class Case:
    """A problem and how one gets it; `says` are pointers of faults that must all be told, `with_header` one
    that must be there."""

    tier: str
    code: str
    name: str
    how: How
    says: frozenset[str] = frozenset()
    with_header: str = ""
    keeps: bool = False  # whether the call may leave something behind, as the case itself looks after

    def __str__(self) -> str:
        return f"{self.tier}-{self.code}-{self.name}".replace(" ", "-")


def read(tier: str, **more: Any) -> How:
    """The tier's read, which no kept answer spares the tier."""
    headers = more.pop("headers", {"Cache-Control": "no-cache"})
    return lambda public: public.call("GET", READS[tier], headers=headers, **more)


def write(tier: str, **more: Any) -> How:
    method, path = WRITES[tier]
    headers = {"Idempotency-Key": fresh(), "Content-Type": "application/json", **more.pop("headers", {})}
    return lambda public: public.call(method, path, headers=headers, **more)


def forged(tier: str, **wrong: Any) -> How:
    def of(public: PublicGateway) -> dict[str, Any]:
        return {name: value(public) if callable(value) else value for name, value in wrong.items()}

    return lambda public: public.call("GET", READS[tier], None, token=public.forged(**of(public)))


def at_each_tier(tier: str) -> list[Case]:
    """What the gateway refuses before it knows more than the tier."""
    challenge = {"with_header": "www-authenticate"}
    long_ago = 1_700_000_000
    return [
        Case(tier, "unauthenticated", "no token", read(tier, by=None), **challenge),
        Case(tier, "invalid_token", "expired", forged(tier, exp=long_ago, iat=long_ago - 300), **challenge),
        Case(tier, "invalid_token", "audience", forged(tier, aud="https://elsewhere.example"), **challenge),
        Case(tier, "invalid_token", "algorithm", forged(tier, header={"alg": "PS256"}), **challenge),
        Case(tier, "invalid_token", "key id", forged(tier, header={"kid": "nobody"}), **challenge),
        Case(tier, "invalid_token", "kind", forged(tier, header={"typ": "JWT"}), **challenge),
        Case(tier, "bad_request", "a header twice", read(tier, headers=[("Idempotency-Key", "once")] * 2)),
        Case(tier, "uri_too_long", "a long query", read(tier, params={"cursor": "x" * 9000})),
        Case(tier, "headers_too_large", "a large header", read(tier, headers={"X-Large": "x" * 17_000})),
        Case(tier, "too_many_requests", "a hasty caller", again(tier, "hasty", "too_many_requests"),
             with_header="retry-after"),
        Case(tier, "quota_exceeded", "a spent month", again(tier, "spent", "quota_exceeded"),
             with_header="retry-after"),
        Case(tier, "overloaded", "no hurry", crowd(tier), with_header="retry-after"),
        Case(tier, "not_subscribed", "no subscription", guest(tier, "nowhere")),
        Case(tier, "consumer_suspended", "a suspended consumer", guest(tier, "suspended")),
        Case(tier, "invalid", "unknown parameters", read(tier, params={"nope": "1", "what": "2"}),
             says=frozenset({"/query/nope", "/query/what"})),
    ]  # fmt: skip


def guest(tier: str, name: str) -> How:
    """A read by a consumer that the deployment has for this."""
    return lambda public: public.call("GET", READS[tier], f"{name}-{tier}")


def again(tier: str, name: str, code: str) -> How:
    """A read until it is refused: which worker of the deployment takes it is not known."""

    async def ask(public: PublicGateway) -> httpx.Response:
        for _ in range(3):
            answer = await guest(tier, name)(public)
            if answer.status_code == catalogue()[code].status:
                break
        return answer

    return ask


def crowd(tier: str) -> How:
    """Reads side by side, until one comes while another is under way."""

    async def ask(public: PublicGateway) -> httpx.Response:
        for _ in range(20):
            answers = await asyncio.gather(*(guest(tier, "patient")(public) for _ in range(30)))
            if shed := [answer for answer in answers if answer.status_code == 503]:
                return shed[0]
        return answers[0]

    return ask


def deep(levels: int) -> bytes:
    return b'{"selling_entity":' + b"[" * levels + b"]" * levels + b"}"


def bodies(tier: str) -> list[Case]:
    """What is wrong with a body."""
    wrong = {name: value for name, value in BODIES[tier].items() if name != "currency"}
    wrong |= {"selling_entity": 5, "nick": "x", "also~/unknown": 1}
    faults = frozenset({"/currency", "/selling_entity", "/nick", "/also~0~1unknown"})
    return [
        Case(tier, "invalid", "unknown fields and wrong types", write(tier, json=wrong), says=faults),
        Case(tier, "bad_json", "half a body", write(tier, content=b'{"currency": "GB')),
        Case(tier, "duplicate_keys", "a key twice",
             write(tier, content=b'{"currency":"GBP","currency":"USD"}')),
        Case(tier, "too_deep", "forty levels", write(tier, content=deep(40))),
        Case(tier, "body_too_large", "two megabytes", lambda it: it.announce(*WRITES[tier], 2_000_000)),
        Case(tier, "unsupported_media_type", "a form", write(tier, content=b"a=1",
             headers={"Content-Type": "application/x-www-form-urlencoded"})),
        Case(tier, "unsupported_media_type", "a picture", write(tier, content=b"x",
             headers={"Content-Type": "image/png"})),
    ]  # fmt: skip


async def spoilt(
    public: PublicGateway,
    system: str,
    effect: dict[str, Any],
    call: How,
    *,
    reads: str = "",
    creates: str = "",
    method: str | None = None,
) -> httpx.Response:
    """A call while a system misbehaves, at all its calls or those that read or create a noun."""
    account = getattr(public.deployment.accounts, system)
    match = account.reads(reads) if reads else account.creates(creates) if creates else {"method": method}
    await account.add_fault(effect, times=None, **match)
    try:
        return await call(public)
    finally:
        await account.clear_faults()


def off_schema(status: int = 200, body: Any = None) -> dict[str, Any]:
    return {"answer": {"status": status, "body": body or {"id": 7, "name": None, "said": MARK}}}


def refusal() -> dict[str, Any]:
    return off_schema(403, [{"errorCode": "INSUFFICIENT_ACCESS", "message": MARK}])


async def doubtful(public: PublicGateway) -> httpx.Response:
    """Every answer is lost; asked again later, there is one customer and no second."""
    key = fresh("doubt")
    put = lambda there: there.call("PUT", f"{ERP}/customers/by-key/{key}", json=CUSTOMER)  # noqa: E731
    answer = await spoilt(public, "erp", {"drop": "after"}, put, creates="customer")
    again = await put(public)
    assert again.status_code == 200, again.text
    customers = await public.deployment.accounts.erp.console.customers()
    assert [one.id for one in customers if one.key == key] == [again.json()["id"]]
    return answer


async def stale_link(public: PublicGateway) -> httpx.Response:
    """Others save the opportunity over and over, so that our write never fits."""
    path = f"{CRM}/opportunities/{public.deals['open'].opportunity_id}/project"
    link = {"project_id": "prj-1", "status": "Delivery planned"}
    call = lambda there: there.call("PUT", path, json=link)  # noqa: E731
    return await spoilt(public, "crm", public.deployment.accounts.crm.stand.conflicts, call, method="POST")


def nobodys_project(public: PublicGateway) -> Awaitable[httpx.Response]:
    return public.call("GET", f"{PSA}/projects/by-key/nobody")


SYSTEM = [
    Case("system", "audience_forbidden", "an outsider", read("system", by="partner-acme")),
    Case("system", "insufficient_scope", "an executive", read("system", by="executive"),
         with_header="www-authenticate"),
    Case("system", "forbidden", "another instance", read("system", claims={"instance": CRM_INSTANCE})),
    Case("system", "not_cached", "nothing kept", lambda public: public.call(
        "GET", f"{ERP}/customers/102", headers={"Cache-Control": "only-if-cached"})),
    Case("system", "not_found", "unknown id", lambda public: public.call("GET", f"{ERP}/customers/999999")),
    Case("system", "not_found", "unknown key", nobodys_project),
    Case("system", "invalid", "unknown cursor",
         lambda public: public.call("GET", f"{CRM}/customers", params={"cursor": "xyz"})),
    Case("system", "vendor_rejected", "no such entity", lambda public: public.call(
        "PUT", f"{ERP}/customers/by-key/never-made", json={**CUSTOMER, "selling_entity": "NB-NOWHERE"})),
    Case("system", "stale_version", "saved by others meanwhile", stale_link),
    Case("system", "contract_violation", "a record off its schema", lambda public: spoilt(
        public, "erp", off_schema(), read("system"), reads="customer")),
    Case("system", "vendor_unavailable", "down", lambda public: spoilt(
        public, "psa", {"answer": {"status": 503, "body": {"said": MARK}}},
        nobodys_project), with_header="retry-after"),
    Case("system", "vendor_unavailable", "no answer", lambda public: spoilt(
        public, "psa", {"drop": "before"}, nobodys_project),
        with_header="retry-after"),
    Case("system", "vendor_doubtful", "answers lost", doubtful, with_header="retry-after", keeps=True),
    # Another instance than the one above, whose circuit may be open.
    Case("system", "deadline_exceeded", "a slow vendor", lambda public: spoilt(
        public, "erp", {"latency_ms": 8000}, read("system"), reads="customer")),
]  # fmt: skip


def decision(public: PublicGateway, name: str, by: str, **body: str) -> Awaitable[httpx.Response]:
    path = f"{REQUESTS}/{public.ids[name]}/decision"
    token = public.token("ci", by)
    return public.post(path, {"decision": "reject", **body}, token=token)


async def decided_twice(public: PublicGateway) -> httpx.Response:
    first = await decision(public, "waiting", "fiona")
    assert first.status_code == 200, first.text
    await settled(public, public.ids["waiting"], "failed")
    return await decision(public, "waiting", "felix", decision="approve")


async def own_proposal(public: PublicGateway) -> httpx.Response:
    """Whoever proposes a customer may not approve it."""
    deal = public.deals["waiting"]
    body = {**PROPOSAL, "account_id": deal.account_id, "selling_entity": "NB-US"}
    proposed = await public.post(REQUESTS, body, token=public.token("ci", "petra"))
    assert proposed.status_code == 202, proposed.text
    await settled(public, proposed.json()["id"], "waiting")
    path = f"{REQUESTS}/{proposed.json()['id']}/decision"
    return await public.post(path, {"decision": "approve"}, token=public.token("ci", "petra"))


def resolution(public: PublicGateway, **headers: str) -> Awaitable[httpx.Response]:
    path = f"{EXCEPTIONS}/{public.ids['parked']}/resolution"
    body = {"action": "skip", "reason": "seen by the test"}
    return public.post(path, body, headers=headers, token=public.token("ci", "fiona"))


async def reused_key(public: PublicGateway) -> httpx.Response:
    key = fresh()
    first = await public.post(ACTIVATIONS, activation(public, "done"), key=key)
    again = await public.post(ACTIVATIONS, activation(public, "done"), key=key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.headers["idempotency-replayed"] == "?1"
    assert again.json() == first.json()
    return await public.post(ACTIVATIONS, activation(public, "open"), key=key)


async def still_running(public: PublicGateway) -> httpx.Response:
    """The second call comes while the CRM still thinks about the first."""
    key, crm = fresh(), public.deployment.accounts.crm
    deal = public.deals["open"]
    hold = await crm.hold("before", path=deal.opportunity_id)
    first = asyncio.create_task(public.post(ACTIVATIONS, activation(public, "open"), key=key))
    try:
        assert await hold.wait(), "the CRM was not asked"
        return await public.post(ACTIVATIONS, activation(public, "open"), key=key)
    finally:
        await hold.release()
        assert (await first).status_code == 409


def activation(public: PublicGateway, name: str) -> dict[str, Any]:
    opportunity = public.deals[name].opportunity_id
    return {"instance": CRM_INSTANCE, "opportunity_id": opportunity, "within": 3}


def button(public: PublicGateway, name: str) -> Awaitable[httpx.Response]:
    return public.call("POST", f"{SCREEN}/opportunities/{public.deals[name].opportunity_id}/activation")


async def locked(public: PublicGateway, call: How) -> httpx.Response:
    """A call while somebody keeps the table of runs to himself."""
    async with public.rows() as connection, connection.transaction():
        await connection.execute("LOCK TABLE enfilade.runs IN ACCESS EXCLUSIVE MODE")
        return await call(public)


BLOCKED = frozenset({"/stage", "/payment_terms", "/rate_card"})
OPPORTUNITY = "/opportunities|/query"

PROCESS = [
    Case("process", "audience_forbidden", "an outsider", read("process", by="portal-globex")),
    Case("process", "insufficient_scope", "a screen", read("process", by="crm-screen"),
         with_header="www-authenticate"),
    Case("process", "insufficient_scope", "an approval by operations", lambda public: public.post(
        f"{REQUESTS}/{public.ids['waiting']}/decision", {"decision": "approve"}, by="operations"),
        with_header="www-authenticate"),
    Case("process", "forbidden", "another legal entity", lambda public: public.post(
        REQUESTS, {**PROPOSAL, "selling_entity": "NB-US"},
        token=public.token("ci", "petra", entities=["NB-UK"]))),
    Case("process", "role_required", "an approval by nobody in particular", lambda public: public.post(
        f"{REQUESTS}/{public.ids['waiting']}/decision", {"decision": "approve"},
        token=public.token("ci", "nora", roles=[]))),
    Case("process", "missing_header", "no key",
         lambda public: public.call("POST", REQUESTS, json=PROPOSAL)),
    Case("process", "not_found", "unknown id", lambda public: public.call("GET", f"{REQUESTS}/creq_nobody")),
    Case("process", "not_found", "unknown instance",
         lambda public: public.post(REQUESTS, {**PROPOSAL, "instance": "crm-moon"}),
         says=frozenset({"/instance"})),
    Case("process", "invalid", "a merge with nobody",
         lambda it: decision(it, "waiting", "fiona", decision="merge"), says=frozenset({"/merge_with"})),
    Case("process", "conflict", "nothing to decide", lambda public: decision(public, "done", "fiona")),
    Case("process", "segregation_of_duties", "one's own proposal", own_proposal, keeps=True),
    Case("process", "already_decided", "twice", decided_twice, keeps=True),
    Case("process", "precondition_required", "no version", resolution),
    Case("process", "stale_version", "an old version",
         lambda public: resolution(public, **{"If-Match": '"999"'})),
    Case("process", "stale_version", "a version that a proxy weakened",
         lambda public: resolution(public, **{"If-Match": 'W/"1", W/"2"'})),
    Case("process", "idempotency_key_reused", "another body", reused_key),
    Case("process", "still_running", "too early", still_running, with_header="retry-after"),
    Case("process", "activation_blocked", "not won, terms missing",
         lambda public: public.post(ACTIVATIONS, activation(public, "open")), says=BLOCKED),
    Case("process", "vendor_rejected", "the CRM forbids it", lambda public: spoilt(
        public, "crm", refusal(), lambda there: there.post(ACTIVATIONS, activation(there, "open")),
        reads="deal")),
    Case("process", "contract_violation", "the CRM answers off its schema", lambda public: spoilt(
        public, "crm", off_schema(), lambda there: there.post(ACTIVATIONS, activation(there, "open")),
        reads="deal")),
    Case("process", "deadline_exceeded", "a locked table", lambda public: locked(public, read("process"))),
]  # fmt: skip

EXPERIENCE = [
    Case("experience", "audience_forbidden", "an outsider", read("experience", by="partner-acme")),
    Case("experience", "insufficient_scope", "the finance desk", read("experience", by="finance-desk"),
         with_header="www-authenticate"),
    Case("experience", "forbidden", "a token of no CRM", read("experience", claims={})),
    Case("experience", "not_found", "unknown account", read("experience")),
    Case("experience", "not_found", "another CRM's deal", lambda public: public.call(
        "GET", f"{SCREEN}/opportunities/{public.deals['done'].opportunity_id}/activation",
        claims={"instance": "crm-other"})),
    Case("experience", "activation_blocked", "not won, terms missing", lambda public: button(public, "open"),
         says=BLOCKED),
    Case("experience", "conflict", "switched off for the CRM", lambda public: public.call(
        "POST", f"{SCREEN}/opportunities/{public.deals['done'].opportunity_id}/activation",
        claims={"instance": "crm-off"})),
    Case("experience", "body_too_large", "two megabytes where none is asked", lambda public: public.announce(
        "POST", f"{SCREEN}/opportunities/1/activation", 2_000_000)),
    Case("experience", "unsupported_media_type", "a compressed body", lambda public: public.call(
        "POST", f"{SCREEN}/opportunities/1/activation", content=b"x", headers={"Content-Encoding": "gzip"})),
    Case("experience", "vendor_rejected", "the CRM forbids it", lambda public: spoilt(
        public, "crm", refusal(), lambda there: button(there, "open"), reads="deal")),
    Case("experience", "contract_violation", "the CRM answers off its schema", lambda public: spoilt(
        public, "crm", off_schema(), lambda it: button(it, "open"), reads="deal")),
    Case("experience", "deadline_exceeded", "a locked table", lambda public: locked(
        public, lambda there: there.call(
            "GET", f"{SCREEN}/opportunities/{there.deals['done'].opportunity_id}/activation"))),
]  # fmt: skip

CASES = [
    *(case for tier in READS for case in at_each_tier(tier)),
    *(case for tier in WRITES for case in bodies(tier)),
    *SYSTEM,
    *PROCESS,
    *EXPERIENCE,
]
# With the database gone: reads of our own rows, and whatever must be kept before it is done.
WITHOUT_DATABASE = [
    Case("system", "unavailable", "no database", read("system"), with_header="retry-after"),
    Case("process", "unavailable", "no database", read("process"), with_header="retry-after"),
    Case("experience", "unavailable", "no database", read("experience"), with_header="retry-after"),
]
