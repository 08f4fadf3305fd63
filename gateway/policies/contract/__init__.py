"""Contract: validates requests against the frozen document, with every fault, and answers as configured."""

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from contracts.problems import (
    BadJson,
    BadRequest,
    Fault,
    Invalid,
    MissingHeader,
    PreconditionRequired,
)
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule, require_type, try_policy
from gateway.lifecycle import NONE, ApiLifecycles, gate_of
from gateway.policies.contract.answers import AnswerValidationSettings, answer_headers, check_of
from gateway.policies.contract.body import escape, parse
from gateway.policies.contract.validators import Validator, coerced, types_of
from kit.settings import SettingsError
from kit.texts import counted, is_storable

_EMPTY = (b"", b"{}")


class ContractSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How deep a body may nest, how many query parameters are read, and how answers are checked."""

    max_depth: Annotated[int, Meta(ge=2, le=200)] = 32
    max_query_parameters: Annotated[int, Meta(ge=1)] = 100
    answers: AnswerValidationSettings = AnswerValidationSettings()


class ContractPolicy:
    """Builds the validators of each route once; raises SettingsError for a broken schema.

    A version that is a draft or retired is refused to every consumer without a trial or waiver.
    """

    def __init__(self, settings: ContractSettings, lifecycles: ApiLifecycles = NONE) -> None:
        self._settings = settings
        self._lifecycles = lifecycles

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if route is None or route.operation is None:
            return call_next
        try:
            read_parameters = _Parameters(route, self._settings.max_query_parameters)
            check_headers = _Headers(route)
            check_body = _Body(route, self._settings.max_depth)
            check_answer = check_of(route, self._settings.answers)
        except (ValueError, RecursionError) as error:
            reason = str(error).partition("\n")[0]
            raise SettingsError([f"{route.name}: a schema cannot be used: {reason}"]) from None

        gate = gate_of(route.api.slug if route.api else "", self._lifecycles)

        async def contract(exchange: Exchange) -> Reply:
            if gate is not None:
                gate(exchange.caller.consumer if exchange.caller else "")
            query, faults = read_parameters(exchange)
            if check_headers.needed:
                faults += check_headers(exchange)
            body = None
            if check_body.reads:
                body, more = await check_body(exchange)
                exchange.payload = body
                faults += more
            if faults:
                raise Invalid(counted(len(faults), "fault"), errors=faults)
            if exchange.check_rows is not None and exchange.caller is not None:
                exchange.check_rows(exchange.caller, exchange.path_parameters, query, body)
            reply = await call_next(exchange)
            if check_answer is not None:
                check_answer(exchange, reply)
            return reply

        return contract

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        """Check the operation without its headers and body, and rows that the path names."""
        route = asked.route if asked else None
        if route is None or route.operation is None:
            return
        if any(rule.source != "path" for rule in route.operation.rows):
            probe.check_rows = None
        parameters = [item for item in route.shape.get("parameters", ()) if item["in"] in ("path", "query")]
        await try_policy(self, replace(route, method="GET", shape={"parameters": parameters}), probe)

    def explain(self, asked: Asked) -> list[Rule]:
        if asked.route.operation is None:
            return []
        rules = []
        if lifecycle := self._lifecycles.get(asked.route.api.slug if asked.route.api else ""):
            rules.append(Rule(f"a version that is {lifecycle.state}", file=""))
        rules += [Rule("path, query and headers as the API's document says", file="")]
        if "requestBody" in asked.route.shape:
            depth = self._settings.max_depth
            rules.append(Rule(f"a JSON body, at most {depth} levels deep, as it says", "contract.max_depth"))
        if says := answer_headers(asked.route, asked.name, self._settings.answers):
            rules.append(Rule(says, "contract.answers"))
        return rules


class _Parameters:
    """Path and query parameters as one closed object each."""

    def __init__(self, route: Route, many: int) -> None:
        self._many = many
        self._path, self._path_types = _validator(route, "path")
        self._query, self._query_types = _validator(route, "query")
        self._query_needed = not self._query.is_valid({})

    def __call__(self, exchange: Exchange) -> tuple[dict[str, Any], list[Fault]]:
        faults: list[Fault] = []
        if exchange.path_parameters:
            path = {
                name: coerced(value, self._path_types[name])
                for name, value in exchange.path_parameters.items()
            }
            if not self._path.is_valid(path):
                faults += self._path.faults(path, "/path")
        if not exchange.query and not self._query_needed:
            return {}, faults
        pairs = self._pairs(exchange.query) if exchange.query else []
        query = {name: coerced(value, self._query_types.get(name, frozenset())) for name, value in pairs}
        if len(query) != len(pairs):
            faults += _repeated(pairs)
        if not self._query.is_valid(query):
            faults += self._query.faults(query, "/query")
        return query, faults

    def _pairs(self, query: bytes) -> list[tuple[str, str]]:
        try:
            pairs = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=self._many
            )
        except ValueError:
            raise BadRequest("The query cannot be read") from None
        if not all(is_storable(name) and is_storable(value) for name, value in pairs):
            raise BadRequest("The query may not contain U+0000")
        return pairs


def _validator(route: Route, place: str) -> tuple[Validator, dict[str, frozenset[str]]]:
    parameters = [item for item in route.shape.get("parameters", ()) if item["in"] == place]
    schema = {
        "type": "object",
        "properties": {item["name"]: item["schema"] for item in parameters},
        "required": [item["name"] for item in parameters if item.get("required")],
        "additionalProperties": False,
    }
    types = {item["name"]: types_of(item["schema"], route.components) for item in parameters}
    return Validator(schema, route.components), types


def _repeated(pairs: list[tuple[str, str]]) -> list[Fault]:
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Fault(f"/query/{escape(name)}", "may come once", "repeated", field=name) for name in twice]


class _Headers:
    """Checks the documented headers: required ones are present, and all match their schemas."""

    def __init__(self, route: Route) -> None:
        items = [item for item in route.shape.get("parameters", ()) if item["in"] == "header"]
        self._items = [
            (
                item["name"],
                item["name"].lower().encode(),
                bool(item.get("required")),
                Validator(item["schema"], route.components),
            )
            for item in items
        ]
        self.needed = bool(items)

    def __call__(self, exchange: Exchange) -> list[Fault]:
        faults: list[Fault] = []
        for name, key, required, validator in self._items:
            value = exchange.headers.get(key)
            if value is None:
                if required:
                    raise _missing(name)
                continue
            text = value.decode("latin-1").strip()
            if name == "Idempotency-Key":
                text = exchange.idempotency_key = text.strip('"')  # the draft writes it as a quoted string
            faults += validator.faults(text, f"/header/{name}")
        return faults


def _missing(name: str) -> PreconditionRequired | MissingHeader:
    if name == "If-Match":
        return PreconditionRequired("Send If-Match with the version that you read")
    return MissingHeader(f"Send the header {name}")


class _Body:
    """Checks the body; where the operation takes none, only an empty one is accepted."""

    def __init__(self, route: Route, max_depth: int) -> None:
        content = route.shape.get("requestBody", {}).get("content", {}).get("application/json")
        self.reads = route.method in ("POST", "PUT", "PATCH")
        self._max_depth = max_depth
        self._validator = Validator(content["schema"], route.components) if content else None

    async def __call__(self, exchange: Exchange) -> tuple[Any, list[Fault]]:
        if self._validator is None:
            body = await exchange.read_body()
            if body.strip() not in _EMPTY:
                return None, [Fault("", "the operation takes no body", "unknown")]
            exchange.body = b""
            return None, []
        body = await exchange.read_body()
        if not body:
            raise BadJson("The body is missing")
        require_type(exchange, "application/json")
        parsed = parse(body, self._max_depth)
        return parsed, [] if self._validator.is_valid(parsed) else self._validator.faults(parsed)
