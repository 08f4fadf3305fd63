"""Documents: the OpenAPI 3.1 promise of an interface, built from its declaration and our types' schemas."""

import inspect
from typing import Any

import msgspec

from contracts import problems as p
from contracts.operation import Operation
from contracts.problems import Problem, ProblemDocument
from kit import conditions
from kit.operations.binding import Bound, api_of, bind
from kit.operations.schemas import Schemas

# What the gateway may answer before any operation is reached.
ALWAYS = (
    p.BadRequest,
    p.Unauthenticated,
    p.InvalidToken,
    p.InsufficientScope,
    p.NotSubscribed,
    p.ConsumerSuspended,
    p.NotFound,
    p.UriTooLong,
    p.HeadersTooLarge,
    p.TooManyRequests,
    p.QuotaExceeded,
    p.Unexpected,
    p.Unavailable,
    p.DeadlineExceeded,
)
WITH_INPUT = (p.Invalid,)
WHERE_BODIES_COME = (p.BodyTooLarge, p.UnsupportedMediaType)
WITH_BODY = (p.BadJson, p.DuplicateKeys, p.TooDeep)
WITH_KEY = (p.MissingHeader, p.StillRunning, p.IdempotencyKeyReused)
WITH_CACHE = (p.NotCached,)
WITH_PRECONDITION = (p.PreconditionFailed, p.PreconditionRequired)


def document(interface: type) -> dict[str, Any]:
    """The OpenAPI 3.1 document of an interface, in a stable order."""
    api = api_of(interface)
    schemas = Schemas()
    schemas.answer(ProblemDocument)
    paths: dict[str, Any] = {}
    for bound in bind(interface):
        paths.setdefault(bound.operation.path, {})[bound.operation.method.lower()] = _operation(
            bound, schemas
        )
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": api.slug,
            "version": f"{api.version}.0.0",
            "summary": api.summary,
            "description": inspect.cleandoc(interface.__doc__ or ""),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [_server(api.prefix)],
        "x-audiences": list(api.audiences),
        "x-data-classes": list(api.data_classes),
        "paths": paths,
        "components": {
            "schemas": schemas.components(),
            "securitySchemes": {"oauth": _security(api)},
        },
    }


def _server(prefix: str) -> dict[str, Any]:
    server: dict[str, Any] = {"url": prefix}
    if "{instance}" in prefix:
        server["variables"] = {
            "instance": {"default": "main", "description": "The vendor instance to speak to"}
        }
    return server


def _security(api: Any) -> dict[str, Any]:
    scopes = {api.scope(access): f"{access} {api.tier}/{api.name}" for access in ("read", "write", "approve")}
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}}}


def _operation(bound: Bound, schemas: Schemas) -> dict[str, Any]:
    operation = bound.operation
    document: dict[str, Any] = {
        "operationId": bound.operation_id,
        "summary": operation.summary,
        "description": bound.doc,
        "security": [{"oauth": [bound.scope]}],
        "x-deadline-seconds": operation.deadline,
        "x-idempotency": operation.idempotency,
        "x-lane": operation.lane,
    }
    if operation.roles:
        document["x-roles"] = list(operation.roles)
    if operation.cache_seconds:
        document["x-cache-seconds"] = operation.cache_seconds
    if operation.deprecation:
        document["deprecated"] = True
    if parameters := _parameters(bound, schemas):
        document["parameters"] = parameters
    if bound.body is not None:
        document["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas.request(bound.body)}},
        }
    document["responses"] = _responses(bound, schemas)
    return document


def _parameters(bound: Bound, schemas: Schemas) -> list[dict[str, Any]]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schemas.parameter(kind)}
        for name, kind in bound.path_parameters.items()
    ]
    if bound.query is not None:
        query = query_schema(bound, schemas)
        parameters += [
            {"name": name, "in": "query", "required": name in query["required"], "schema": schema}
            for name, schema in query["properties"].items()
        ]
    if bound.operation.idempotency == "key":
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "description": "One key per intended effect: the same key and body, the same answer.",
                "schema": {
                    "type": "string",
                    "minLength": 8,
                    "maxLength": 128,
                    "pattern": r"^[A-Za-z0-9_\-]+$",
                },
            }
        )
    if bound.operation.precondition:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": True,
                "description": "The ETag of the version that was read: the number, quoted (RFC 9110).",
                "schema": {"type": "string", "pattern": conditions.FIELD},
            }
        )
    return parameters


def query_schema(bound: Bound, schemas: Schemas) -> dict[str, Any]:
    """The schema of an operation's query as one closed object."""
    if bound.query is None:
        return {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    fields = msgspec.structs.fields(bound.query)
    properties = {}
    for field in fields:
        schema = schemas.parameter(field.type)
        if not field.required and field.default is not None and field.default is not msgspec.NODEFAULT:
            schema = {**schema, "default": msgspec.to_builtins(field.default)}
        properties[field.name] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def problems_of(bound: Bound) -> list[type[Problem]]:
    """Every problem that an operation may answer with, each once, by status and code."""
    operation = bound.operation
    kinds = {*ALWAYS, *operation.problems, *_of_the_caller(bound)}
    if operation.method in ("POST", "PUT", "PATCH"):
        kinds.update(WHERE_BODIES_COME)
    if bound.body is not None:
        kinds.update(WITH_BODY)
    if bound.body is not None or bound.query is not None or bound.path_parameters:
        kinds.update(WITH_INPUT)
    if operation.idempotency == "key":
        kinds.update(WITH_KEY)
    if operation.precondition:
        kinds.update(WITH_PRECONDITION)
    if operation.cache_seconds:
        kinds.update(WITH_CACHE)
    return sorted(kinds, key=lambda kind: (kind.status, kind.code))


def _of_the_caller(bound: Bound) -> set[type[Problem]]:
    """What depends on who calls, beside what every operation may answer."""
    operation = bound.operation
    kinds: set[type[Problem]] = set()
    if bound.api.tier != "experience" or "outside" not in bound.api.audiences:
        kinds.add(p.AudienceForbidden)
    if bound.api.tier == "system" or operation.rows:  # a token may be bound to another instance, or row
        kinds.add(p.Forbidden)
    if operation.roles:
        kinds.add(p.RoleRequired)
    if bound.api.tier != "gateway":  # a repair of an overloaded deployment is not shed
        kinds.add(p.Overloaded)
    return kinds


def _responses(bound: Bound, schemas: Schemas) -> dict[str, Any]:
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in problems_of(bound):
        by_status.setdefault(kind.status, []).append(kind)
    failures = {str(status): _failure(status, kinds) for status, kinds in by_status.items()}
    unchanged = {"304": {"description": "What If-None-Match names"}} if bound.operation.cache_seconds else {}
    return {str(bound.operation.status): _success(bound, schemas), **unchanged, **failures}


def _failure(status: int, kinds: list[type[Problem]]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    response: dict[str, Any] = {
        "description": "; ".join(kind.title for kind in kinds),
        "x-problem-codes": [kind.code for kind in kinds],
        "content": content,
    }
    if headers := _problem_headers(status):
        response["headers"] = headers
    return response


def _problem_headers(status: int) -> dict[str, Any]:
    if status == p.Unauthenticated.status:
        return {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    if status in (p.TooManyRequests.status, p.Unavailable.status):
        return {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}}
    return {}


def _content(bound: Bound, schemas: Schemas) -> dict[str, Any]:
    if streamed := bound.operation.streams:
        return {streamed: {"schema": {"type": "string"}}}
    return {"application/json": {"schema": schemas.answer(bound.answer)}}


def _success(bound: Bound, schemas: Schemas) -> dict[str, Any]:
    operation: Operation = bound.operation
    success: dict[str, Any] = {
        "description": bound.doc.split("\n")[0] or operation.summary,
        "headers": {"Correlation-Id": {"required": True, "schema": {"type": "string"}}},
        "content": _content(bound, schemas),
    }
    if operation.links:
        prefix = f"{bound.api.name}.".replace("-", "_")
        success["links"] = {
            link.operation: {
                "operationId": prefix + link.operation,
                "parameters": {link.parameter: f"$response.body#/{link.field}"},
            }
            for link in operation.links
        }
    return success
