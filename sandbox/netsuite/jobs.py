"""NetSuite's asynchronous record calls: a job of one task, or of one per record of a collection."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from sandbox.core import Account, answer, dumps, loads
from sandbox.core.wire import BadJson
from sandbox.netsuite.problems import MEDIA, Refusal
from sandbox.netsuite.recordapi import Call, perform
from sandbox.netsuite.store import stamp

JOBS = "/services/rest/async/v1/job"
MOST_RECORDS = 100
BATCH_METHODS = {"POST", "PUT", "PATCH", "DELETE"}


def start(account: Account, call: Call) -> Response:
    """Take the call, do it, and answer with the job; the first look at the job still finds it pending.

    Raises: Refusal, for a key used before and a collection that cannot be read."""
    known = account.extra.setdefault("idempotency", {})
    key = call.headers.get("x-netsuite-idempotency-key")
    if key and key in known:
        raise _used_before(f"{call.origin}{JOBS}/{known[key]}")
    tasks = [_done(account, each) for each in _calls(call)]
    job = str(account.next_number("job"))
    account.extra.setdefault("jobs", {})[job] = {"id": job, "seen": False, "tasks": tasks}
    if key:
        known[key] = job
    account.touch()
    headers = {"Preference-Applied": "respond-async", "Location": f"{call.origin}{JOBS}/{job}"}
    return answer(None, 202, headers)


def _used_before(location: str) -> Refusal:
    refusal = Refusal(400, "IDEMPOTENCY_ERROR", "The idempotency key was already used by another request.")
    refusal.body["title"] = "Conflict"
    refusal.headers["Location"] = location
    return refusal


def _done(account: Account, call: Call) -> dict[str, Any]:
    started = stamp(account)
    try:
        response = perform(account, call)
    except Refusal as refusal:
        response = refusal.response()
    return {
        "status": response.status_code,
        "location": response.headers.get("location"),
        "body": bytes(response.body).decode(),
        "media": response.headers.get("content-type"),
        "startTime": started,
        "endTime": stamp(account),
    }


def _calls(call: Call) -> list[Call]:
    """One call per record of a collection, otherwise the call itself. Raises: Refusal."""
    batch = "type=collection" in call.headers.get("content-type", "").replace(" ", "") or "ids" in call.query
    if not batch or len(call.path) != 1 or call.method not in BATCH_METHODS:
        return [call]
    if call.method == "DELETE":
        idents = call.query.get("ids", "").split(",")
        return _limited([replace(call, path=[call.path[0], ident], query={}) for ident in idents])
    try:
        items = loads(call.body)["items"]
    except (BadJson, KeyError, TypeError) as bad:
        raise Refusal(400, "INVALID_CONTENT", "A collection has its records under 'items'.") from bad
    return _limited([_single(call, item) for item in items])


def _limited(calls: list[Call]) -> list[Call]:
    if len(calls) > MOST_RECORDS:
        raise Refusal(400, "INVALID_CONTENT", f"A collection has {MOST_RECORDS} records at most.")
    return calls


def _single(call: Call, item: dict[str, Any]) -> Call:
    """PUT finds its record by external id only, PATCH by id before external id."""
    headers = {**call.headers, "content-type": "application/json"}
    path, body = list(call.path), dict(item)
    if call.method == "PUT" or (call.method == "PATCH" and not body.get("id")):
        path.append(f"eid:{body.get('externalId', '')}")
    elif call.method == "PATCH":
        path.append(str(body.pop("id")))
    return replace(call, path=path, headers=headers, body=dumps(body))


def poll(account: Account, path: list[str], origin: str) -> Response:
    """`job/1`, `job/1/task`, `job/1/task/1`, `job/1/task/1/result`. Raises: Refusal."""
    if len(path) < 2 or path[0] != "job":
        raise Refusal(404)
    job = account.extra.get("jobs", {}).get(path[1])
    if job is None:
        raise Refusal(404)
    href = f"{origin}/services/rest/async/v1/{'/'.join(path)}"
    if len(path) == 2:
        return _job(account, job, href)
    if path[2] != "task":
        raise Refusal(404)
    if len(path) == 3:
        items = [
            {"links": [_self(f"{href}/{place}")], "id": str(place)}
            for place in range(1, len(job["tasks"]) + 1)
        ]
        return answer({"links": [_self(href)], "items": items}, media_type=MEDIA.format("collection"))
    place = int(path[3]) if path[3].isdigit() else 0
    if not 1 <= place <= len(job["tasks"]):
        raise Refusal(404)
    task = job["tasks"][place - 1]
    return _result(task) if path[4:] == ["result"] else _task(task, str(place), href)


def _job(account: Account, job: dict[str, Any], href: str) -> Response:
    finished, job["seen"] = job["seen"], True
    account.touch()
    body = {
        "links": [_self(href)],
        "completed": finished,
        "id": job["id"],
        "progress": "succeeded" if finished else "pending",
        "task": {"links": [_self(f"{href}/task")]},
    }
    return answer(body, media_type=MEDIA.format("singular"))


def _task(task: dict[str, Any], place: str, href: str) -> Response:
    body = {
        "links": [{"rel": "related", "href": f"{href}/result", "method": "GET"}, _self(href)],
        "completed": True,
        "id": place,
        "progress": "succeeded" if task["status"] < 400 else "failed",
        "startTime": task["startTime"],
        "endTime": task["endTime"],
    }
    return answer(body, media_type=MEDIA.format("singular"))


def _result(task: dict[str, Any]) -> Response:
    """The original answer once more."""
    headers = {"Location": task["location"]} if task["location"] else {}
    return Response(task["body"], task["status"], headers, task["media"])


def _self(href: str) -> dict[str, str]:
    return {"rel": "self", "href": href, "method": "GET"}
