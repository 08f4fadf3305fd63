"""system_apis: NetSuite's REST record service and SuiteQL, and what its refusals mean."""

import datetime as dt
import re
from collections import OrderedDict
from typing import Any, NamedTuple, TypeVar

from contracts.problems import (
    Fault,
    NotFound,
    Problem,
    VendorFault,
    VendorRejected,
    VendorUnavailable,
)
from kit.cache import Cache
from kit.http import Answer, Outbound
from system_apis.vendors.netsuite.records import (
    NetSuiteError,
    NetSuiteErrorDetail,
    NetSuiteGovernance,
    NetSuiteRows,
    Raw,
    Row,
    version_of,
)

T = TypeVar("T")

RECORD = "/services/rest/record/v1"
_QUERY = "/services/rest/query/v1/suiteql"
_GOVERNANCE = "/services/rest/system/v1/governanceLimits"
REQUEST_ID_HEADER = "x-n-operationid"
DUPLICATE = "duplicate"
_LONGEST_SENTENCE = 300
_MOST_REMEMBERED = 50_000


class Meaning(NamedTuple):
    """One line of the error table: how to recognise an answer, and the problem to raise."""

    status: int
    code: str
    part: str
    problem: type[Problem]
    sentence: str
    tag: str = ""


# The first line that fits is used; an empty code or text fits all. NetSuite's statuses mislead: an unknown
# transaction is a 400, and a table that the role may not read is reported as a faulty query.
MEANINGS = (
    Meaning(
        400, "USER_ERROR", "Transaction type specified is incorrect", NotFound, "there is no such record"
    ),
    Meaning(400, "USER_ERROR", "already exists", VendorRejected, "the record exists already", DUPLICATE),
    Meaning(
        400, "USER_ERROR", "Please enter value", VendorRejected, "a mandatory field has no value", "required"
    ),
    Meaning(400, "RCRD_HAS_BEEN_CHANGED", "", VendorUnavailable, "the record was changed at the same time"),
    Meaning(400, "SSS_REQUEST_LIMIT_EXCEEDED", "", VendorUnavailable, "too many calls at once"),
    Meaning(400, "USER_ERROR", "", VendorRejected, "a rule of the account forbids it", "rule"),
    Meaning(400, "INVALID_CONTENT", "", VendorRejected, "a value is not accepted", "value"),
    Meaning(
        400, "INVALID_PARAMETER", "was not found", VendorRejected, "the role may not query it", "permission"
    ),
    Meaning(400, "", "", VendorRejected, "the request is not understood", "request"),
    Meaning(401, "", "", VendorRejected, "our login is refused", "login"),
    Meaning(403, "", "", VendorRejected, "our role lacks a permission", "permission"),
    Meaning(404, "", "Record type", VendorRejected, "the record type is off or hidden", "permission"),
    Meaning(404, "", "", NotFound, "there is no such record"),
    Meaning(429, "", "", VendorUnavailable, "too many calls at once"),
)


def read_error(answer: Answer) -> Problem | None:
    """The problem of a refusal; None where only the status is known (a gateway's page, for example)."""
    error = answer.try_json(NetSuiteError)
    details = error.details if error and error.details else (NetSuiteErrorDetail(),)
    meaning = next((line for line in MEANINGS if _fits(line, answer.status, details[0])), None)
    if meaning is None:
        return None
    sentence = f"{answer.instance}: {meaning.sentence} ({answer.method} {answer.template})"
    faults = [fault for detail in details for fault in _faults(meaning, detail)] if meaning.tag else []
    more: dict[str, Any] = {"instance": answer.instance, "vendor_request_id": answer.request_id}
    if issubclass(meaning.problem, VendorFault):
        return meaning.problem(sentence, errors=faults, **more)
    return meaning.problem(sentence, extra=more)


def _fits(line: Meaning, status: int, detail: NetSuiteErrorDetail) -> bool:
    return line.status == status and line.code in ("", detail.code) and line.part in detail.detail


def _faults(meaning: Meaning, detail: NetSuiteErrorDetail) -> list[Fault]:
    """The faults in the vendor's own words, which its administrators know."""
    labels = re.search(r"Please enter value\(s\) for: (.+?)\.?$", detail.detail)
    if labels:
        return [
            Fault(
                "", f"NetSuite needs a value for {label}", "required", field=label, fixed_by="administrator"
            )
            for label in labels[1].split(", ")
        ]
    pointer = "/" + re.sub(r"[.\[\]]+", "/", detail.path).strip("/") if detail.path else ""
    sentence = detail.detail[:_LONGEST_SENTENCE] or meaning.sentence
    return [Fault(pointer, sentence, meaning.tag, field=detail.path, fixed_by="administrator")]


class NetSuiteClient:
    """NetSuite's services as one account offers them."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    @property
    def instance(self) -> str:
        return self._outbound.instance

    async def read(self, kind: str, ident: str, shape: type[T]) -> tuple[T, Raw]:
        """A whole record by internal id or ``eid:`` key: its shape, and raw for the account's own fields.

        Raises NotFound.
        """
        answer = await self._outbound.send(
            "GET",
            f"{RECORD}/{kind}/{ident}",
            template=f"{RECORD}/{kind}/{{id}}",
            params={"expandSubResources": "true"},
        )
        return answer.json(shape), answer.json(Raw)

    async def upsert(self, kind: str, key: str, body: Raw, *, replace: tuple[str, ...] = ()) -> str:
        """Create or change the record of an external id; its internal id. Lists in `replace` stay as sent."""
        try:
            return await self._put(kind, key, body, replace)
        except VendorRejected as problem:
            # Two creations at once: NetSuite refuses the second, which then is a change.
            if not any(fault.code == DUPLICATE for fault in problem.errors):
                raise
            return await self._put(kind, key, body, replace)

    async def _put(self, kind: str, key: str, body: Raw, replace: tuple[str, ...]) -> str:
        answer = await self._outbound.send(
            "PUT",
            f"{RECORD}/{kind}/eid:{key}",
            template=f"{RECORD}/{kind}/eid:{{key}}",
            params={"replace": ",".join(replace)} if replace else None,
            body=body,
            # By default NetSuite drops an unknown field, and reports it in a header only.
            headers={"X-NetSuite-PropertyNameValidation": "Error"},
        )
        ident = answer.headers.get("Location", "").rstrip("/").rpartition("/")[2]
        if not ident:
            raise answer.violation(f"it saved a {kind} without its id")
        return ident

    async def change(self, kind: str, ident: str, body: Raw) -> None:
        """Change fields and keyed lines, so that a repetition changes nothing more; raises NotFound."""
        await self._outbound.send(
            "PATCH",
            f"{RECORD}/{kind}/{ident}",
            template=f"{RECORD}/{kind}/{{id}}",
            body=body,
            headers={"X-NetSuite-PropertyNameValidation": "Error"},
            repeatable=True,
        )

    async def query(self, sql: str) -> list[Row]:
        """The rows of one SuiteQL query, which fetches no more than a page of 1000."""
        answer = await self._outbound.send(
            "POST",
            _QUERY,
            params={"limit": "1000", "offset": "0"},
            body={"q": sql},
            headers={"Prefer": "transient"},
            effect=False,
        )
        return answer.json(NetSuiteRows).items

    async def probe(self, method: str, path: str) -> None:
        """A call that changes nothing; raises the refusal when our role may not make it."""
        body = {} if method == "PATCH" else None
        await self._outbound.send(method, f"{RECORD}/{path}", body=body, effect=False, ok=(404,))

    async def schemas(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        """The account's own schema of each record type, its custom fields included."""
        answer = await self._outbound.send(
            "GET",
            f"{RECORD}/metadata-catalog",
            params={"select": ",".join(kinds)},
            headers={"Accept": "application/swagger+json"},
        )
        return answer.json(dict[str, Any]).get("components", {}).get("schemas", {})

    async def governance(self) -> NetSuiteGovernance:
        """How many calls may be under way at once."""
        return (await self._outbound.send("GET", _GOVERNANCE)).json(NetSuiteGovernance)


class Echoes:
    """Our last write of each record, so that the change it causes is recognised as our own."""

    def __init__(self, instance: str, cache: Cache | None) -> None:
        self._instance = instance
        self._cache = cache
        self._here: OrderedDict[str, str] = OrderedDict()

    async def wrote(self, noun: str, ident: str, changed: dt.datetime) -> None:
        """Record for a day that this change of the record is ours."""
        name, version = self._name(noun, ident), version_of(changed)
        if self._cache is None:
            self._here[name] = version
            if len(self._here) > _MOST_REMEMBERED:
                self._here.popitem(last=False)
            return
        await self._cache.ask("echoes", lambda client: client.set(name, version, ex=86_400), otherwise=None)

    async def is_ours(self, noun: str, ident: str, changed: dt.datetime) -> bool:
        """Whether our own write made this change. In doubt False: reading a record twice does no harm."""
        name = self._name(noun, ident)
        if self._cache is None:
            return self._here.get(name) == version_of(changed)
        version = await self._cache.ask("echoes", lambda client: client.get(name), otherwise=None)
        return version is not None and version.decode() == version_of(changed)

    def _name(self, noun: str, ident: str) -> str:
        return f"enfilade:{{{self._instance}}}:wrote:{noun}:{ident}"
