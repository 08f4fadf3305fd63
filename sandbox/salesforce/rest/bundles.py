"""The Salesforce stand-in's bundles: composite, batch and graph, many requests in one."""

import re
from typing import Any

from sandbox.core import dumps
from sandbox.salesforce import usage
from sandbox.salesforce.errors import Refused, bad_request
from sandbox.salesforce.events.stream import tell
from sandbox.salesforce.rest.call import Call, Reply, only

MOST = 25
MOST_HEAVY = 5
MOST_GRAPHS, MOST_NODES = 75, 500
REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
# What may be asked within: the vendor's own lists, as far as the resources are imitated at all.
IN_COMPOSITE = re.compile(r"/(?:sobjects|query|queryAll|composite/sobjects)(?:/.*)?")
IN_GRAPH = re.compile(r"/sobjects/.+")
IN_BATCH = re.compile(r"/(?:sobjects|query|queryAll|limits)(?:/.*)?")
STEP = ("method", "url", "referenceId", "body", "httpHeaders")
MOST_DEEP, MOST_KINDS, MOST_FAILED_GRAPHS = 15, 15, 14
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


def listed(call: Call) -> Reply:
    names = ("tree", "batch", "sobjects", "graph")
    return Reply(200, {name: f"{call.base}/composite/{name}" for name in names})


def composite(call: Call) -> Reply:
    body = call.form("allOrNone", "collateSubrequests", "compositeRequest")
    requests = _limited(body.get("compositeRequest"), MOST)
    heavy = [r for r in requests if re.search(r"/query|/composite/sobjects", str(r.get("url")))]
    _limited(heavy, MOST_HEAVY)
    answers, _ = _chain(call, requests, IN_COMPOSITE, all_or_none=bool(body.get("allOrNone")))
    return Reply(200, {"compositeResponse": answers})


def graphs(call: Call) -> Reply:
    asked = _limited(call.form("graphs").get("graphs"), MOST_GRAPHS)
    for graph in asked:
        only(graph, ("graphId", "compositeRequest"))
        _bounded(_limited(graph.get("compositeRequest"), MOST_NODES))
    if sum(len(g["compositeRequest"]) for g in asked) > MOST_NODES:
        raise bad_request("LIMIT_EXCEEDED", f"A payload holds at most {MOST_NODES} nodes")
    results: list[dict[str, Any]] = []
    for graph in asked:
        requests = graph["compositeRequest"]
        if sum(not result["isSuccessful"] for result in results) < MOST_FAILED_GRAPHS:
            answers, good = _chain(call, requests, IN_GRAPH, all_or_none=True)
        else:
            answers, good = _halted(requests, []), False
        results.append(
            {
                "graphId": graph.get("graphId"),
                "graphResponse": {"compositeResponse": answers},
                "isSuccessful": good,
            }
        )
    return Reply(200, {"graphs": results})


def _limited(requests: Any, most: int) -> list[dict[str, Any]]:
    """The requests, if they are a list and not too many. Raises: Refused."""
    if not isinstance(requests, list):
        raise bad_request("JSON_PARSER_ERROR", "A list of requests is required")
    if len(requests) > most:
        raise bad_request("LIMIT_EXCEEDED", f"This request exceeds the limit of {most} subrequests")
    if not all(isinstance(request, dict) for request in requests):
        raise bad_request("JSON_PARSER_ERROR", "A list of objects is required")
    return requests


def _bounded(requests: list[dict[str, Any]]) -> None:
    """A graph's depth by its references, and its kinds of nodes. Raises: Refused."""
    depths: dict[str, int] = {}
    kinds: set[tuple[str, str]] = set()
    for request in requests:
        referred = [found[0] for found in REFERENCE.findall(dumps(request).decode())]
        depths[str(request.get("referenceId"))] = 1 + max(
            (depths.get(name, 0) for name in referred), default=0
        )
        kinds.add((str(request.get("method")), str(request.get("url")).split("/sobjects/")[-1].split("/")[0]))
    if max(depths.values(), default=0) > MOST_DEEP or len(kinds) > MOST_KINDS:
        raise bad_request(
            "LIMIT_EXCEEDED", f"A graph is {MOST_DEEP} deep and of {MOST_KINDS} kinds of nodes at most"
        )


def _chain(
    call: Call, requests: list[dict[str, Any]], allowed: re.Pattern[str], *, all_or_none: bool
) -> tuple[list[dict[str, Any]], bool]:
    """The answers in order and whether all are good; all or none: a failure undoes the rest."""
    for request in requests:
        only(request, STEP)
    names = [request.get("referenceId") for request in requests]
    if not all(isinstance(name, str) and name for name in names) or len(set(names)) < len(names):
        raise bad_request("INVALID_INPUT", "Every subrequest has a reference id of its own")
    mark = call.work.mark()
    known: dict[str, Any] = {}
    answers: list[dict[str, Any]] = []
    for request in requests:
        reply = _one(call, request, known, allowed)
        answers.append(_shown(request, reply))
        if reply.status < 400:
            known[str(request.get("referenceId"))] = reply.body
            if not all_or_none:
                tell(call.work)
        elif all_or_none:
            break
    good = all(answer["httpStatusCode"] < 400 for answer in answers)
    if all_or_none and not good:
        call.work.rollback(mark)
        return _halted(requests, answers), False
    if all_or_none:
        tell(call.work)
    return answers, good


def _one(call: Call, request: dict[str, Any], known: dict[str, Any], allowed: re.Pattern[str]) -> Reply:
    try:
        url = str(_filled(request.get("url", ""), known))
        body = _filled(request.get("body"), known)
        inner = call.inner(str(request.get("method", "")), url, body=body, headers=request.get("httpHeaders"))
        _allowed_within(inner, allowed)
    except Refused as refused:
        return Reply(refused.status, refused.body())
    return call.again(inner)


def _allowed_within(inner: Call, allowed: re.Pattern[str]) -> None:
    """Raises: Refused."""
    if not allowed.fullmatch(inner.path.rstrip("/")):
        raise bad_request("INVALID_INPUT", f"The resource {inner.path} is not supported within this request")


def _shown(request: dict[str, Any], reply: Reply) -> dict[str, Any]:
    return {
        "body": reply.body,
        "httpHeaders": reply.headers,
        "httpStatusCode": reply.status,
        "referenceId": request.get("referenceId"),
    }


def _halted(requests: list[dict[str, Any]], answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The guilty answer as it was; everybody else's is that the transaction was undone."""
    guilty = {a["referenceId"]: a for a in answers if a["httpStatusCode"] >= 400}
    innocent = Reply(400, [{"errorCode": "PROCESSING_HALTED", "message": HALTED}])
    return [guilty.get(request.get("referenceId")) or _shown(request, innocent) for request in requests]


def _filled(value: Any, known: dict[str, Any]) -> Any:
    """A request's part with `@{name.path}` replaced by what that request answered. Raises: Refused."""
    if isinstance(value, dict):
        return {key: _filled(part, known) for key, part in value.items()}
    if isinstance(value, list):
        return [_filled(part, known) for part in value]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return _referred(whole, known)
    return REFERENCE.sub(lambda found: str(_referred(found, known)), value)


def _referred(found: re.Match[str], known: dict[str, Any]) -> Any:
    here: Any = known.get(found[1])
    for step in re.findall(r"[A-Za-z0-9_]+", found[2]):
        try:
            here = here[int(step)] if isinstance(here, list) else here[step]
        except (KeyError, IndexError, TypeError, ValueError):
            here = None
    if here is None:
        path = f"{found[1]}{found[2]}"
        raise bad_request(
            "PROCESSING_HALTED", f"Invalid reference specified. No value for {path} found in {found[1]}"
        )
    return here


def batch(call: Call) -> Reply:
    body = call.form("haltOnError", "batchRequests")
    requests = _limited(body.get("batchRequests"), MOST)
    for request in requests:
        only(request, ("method", "url", "richInput"))
    # Each counts as a call of its own; the batch itself is counted already.
    usage.spend(call.org, len(requests) - 1)
    results: list[dict[str, Any]] = []
    failed = False
    for request in requests:
        if failed and body.get("haltOnError"):
            halted = {
                "errorCode": "BATCH_PROCESSING_HALTED",
                "message": "Batch processing halted per request",
            }
            results.append({"statusCode": 412, "result": [halted]})
            continue
        reply = _batched(call, request)
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": reply.body})
        tell(call.work)
    return Reply(200, {"hasErrors": failed, "results": results})


def _batched(call: Call, request: dict[str, Any]) -> Reply:
    body = request.get("richInput")
    try:
        url = str(request.get("url", ""))
        inner = call.inner(str(request.get("method", "")), url, body=body, headers=call.headers)
        _allowed_within(inner, IN_BATCH)
    except Refused as refused:
        return Reply(refused.status, refused.body())
    return call.again(inner)
