"""The Salesforce stand-in's Bulk API 2.0: jobs that take or give CSV, done as soon as complete."""

import csv
import io
from typing import Any

from sandbox.salesforce.errors import Refused, bad_request, not_found
from sandbox.salesforce.ids import make_id
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.records.values import show_datetime
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.rest.rows import key_field, upserted
from sandbox.salesforce.soql.run import run

CSV = "text/csv;charset=UTF-8"
OPERATIONS = {"insert", "update", "upsert", "delete", "hardDelete"}
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}


def open_ingest(call: Call) -> Reply:
    body = call.body()
    if body.get("operation") not in OPERATIONS:
        raise bad_request("INVALIDJOB", "Unknown operation")
    made = call.sobject(str(body.get("object")))
    if body["operation"] == "upsert":
        key_field(made, str(body.get("externalIdFieldName")))
    job = _new_job(call, body, "V2Ingest", "Open") | {"object": made.name}
    job["contentUrl"] = f"services/data/v{call.version}/jobs/ingest/{job['id']}/batches"
    _jobs(call)[job["id"]] = job
    return Reply(200, _shown(job))


def open_query(call: Call) -> Reply:
    body = call.body()
    deleted = body.get("operation") == "queryAll"
    found = run(call.org, str(body.get("query", "")), call.base, call.user(), deleted=deleted)
    rows = [_flat(row) for row in found.rows]
    if any(isinstance(value, dict) for row in rows for value in row.values()):
        raise bad_request("API_ERROR", "Selecting compound data not supported in Bulk Query")
    job = _new_job(call, body, "V2Query", "JobComplete") | {"rows": rows, "numberRecordsProcessed": len(rows)}
    _jobs(call)[job["id"]] = job
    # The work is done at once; the client still sees the state that a job starts in.
    return Reply(200, _shown(job) | {"state": "UploadComplete"})


def _new_job(call: Call, body: Record, kind: str, state: str) -> Record:
    job_id = make_id("750", 0, call.org.account.next_number("bulk job"))
    now = show_datetime(call.org.now())
    return {
        "id": job_id, "operation": body.get("operation"), "object": body.get("object"),
        "createdById": call.work.actor.user_id, "createdDate": now, "systemModstamp": now, "state": state,
        "externalIdFieldName": body.get("externalIdFieldName"), "concurrencyMode": "Parallel",
        "contentType": "CSV", "apiVersion": call.number, "jobType": kind,
        "lineEnding": body.get("lineEnding", "LF"), "columnDelimiter": body.get("columnDelimiter", "COMMA"),
    }  # fmt: skip


def upload(call: Call, job_id: str) -> Reply:
    job = _job(call, job_id)
    if job["state"] != "Open" or "csv" in job:
        raise bad_request("INVALIDJOBSTATE", "Found multiple contents for job, or the job is not open")
    job["csv"] = call.raw.decode("utf-8-sig")
    return Reply(201)


def change_state(call: Call, job_id: str) -> Reply:
    job, wanted = _job(call, job_id), call.body().get("state")
    if wanted not in {"UploadComplete", "Aborted"} or job["state"] not in {"Open", "UploadComplete"}:
        raise bad_request("INVALIDJOBSTATE", f"Job state {job['state']} cannot become {wanted}")
    if wanted == "Aborted":
        job["state"] = wanted
        return Reply(200, _shown(job))
    _work_through(call, job)
    return Reply(200, _shown(job) | {"state": "UploadComplete"})


def _work_through(call: Call, job: Record) -> None:
    reader = csv.DictReader(io.StringIO(job.get("csv", "")), delimiter=DELIMITERS[job["columnDelimiter"]])
    job |= {"good": [], "bad": [], "columns": list(reader.fieldnames or [])}
    for row in reader:
        mark = call.work.mark()
        try:
            record_id, is_new = _apply(call, job, row)
            job["good"].append({"sf__Id": record_id, "sf__Created": str(is_new).lower(), **row})
        except Refused as refused:
            call.work.rollback(mark)
            error = f"{refused.code}:{refused.message}:{','.join(refused.fields or []) or '--'}"
            job["bad"].append({"sf__Id": "", "sf__Error": error, **row})
    job |= {
        "state": "JobComplete", "numberRecordsProcessed": len(job["good"]) + len(job["bad"]),
        "numberRecordsFailed": len(job["bad"]), "retries": 0, "totalProcessingTime": 100,
        "apiActiveProcessingTime": 50, "apexProcessingTime": 0,
    }  # fmt: skip


def _apply(call: Call, job: Record, row: dict[str, str]) -> tuple[str, bool]:
    """Raises: Refused."""
    made = call.sobject(job["object"])
    # An empty cell says nothing; #N/A empties the field.
    data: Record = {k: None if v == "#N/A" else v for k, v in row.items() if v}
    if job["operation"] == "insert":
        return call.work.insert(made, data), True
    if job["operation"] == "upsert":
        field = key_field(made, job["externalIdFieldName"])
        return upserted(call, made, field, data.pop(field.name, None), data)
    record_id = str(next((data.pop(k) for k in list(data) if k.lower() == "id"), ""))
    if job["operation"] == "update":
        call.work.update(made, record_id, data)
    else:
        call.work.delete(made, record_id)
    return record_id, False


def list_ingests(call: Call) -> Reply:
    jobs = [_shown(job) for job in _jobs(call).values() if job["jobType"] == "V2Ingest"]
    return Reply(200, {"done": True, "records": jobs, "nextRecordsUrl": None})


def show(call: Call, job_id: str) -> Reply:
    return Reply(200, _shown(_job(call, job_id)))


def remove(call: Call, job_id: str) -> Reply:
    del _jobs(call)[_job(call, job_id)["id"]]
    return Reply(204)


def ingest_results(call: Call, job_id: str, kind: str) -> Reply:
    job = _job(call, job_id)
    lists = {"successfulresults": "good", "failedresults": "bad", "unprocessedrecords": ""}
    if kind.lower() not in lists:
        raise not_found()
    extra = {"good": ["sf__Id", "sf__Created"], "bad": ["sf__Id", "sf__Error"]}
    chosen = lists[kind.lower()]
    return _csv(job.get(chosen, []), extra.get(chosen, []) + job.get("columns", []))


def query_results(call: Call, job_id: str) -> Reply:
    rows = _job(call, job_id)["rows"]
    start, size = int(call.query.get("locator", "0")), int(call.query.get("maxRecords", "50000"))
    page = rows[start : start + size]
    following = str(start + size) if start + size < len(rows) else "null"
    headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(page))}
    return _csv(page, list(rows[0]) if rows else [], headers)


def _csv(rows: list[dict[str, Any]], columns: list[str], headers: dict[str, str] | None = None) -> Reply:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, quoting=csv.QUOTE_ALL, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return Reply(200, None, headers or {}, raw=out.getvalue().encode(), media_type=CSV)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row without attributes, parents as `Account.Name`, true and false as CSV writes them."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and "attributes" in value:
            flat |= {f"{key}.{inner}": v for inner, v in _flat(value).items()}
        elif key != "attributes":
            flat[key] = str(value).lower() if isinstance(value, bool) else value
    return flat


def _shown(job: Record) -> Record:
    return {
        k: v for k, v in job.items() if k not in {"csv", "good", "bad", "columns", "rows"} and v is not None
    }


def _job(call: Call, job_id: str) -> Record:
    """Raises: Refused."""
    job = _jobs(call).get(job_id) or next((j for i, j in _jobs(call).items() if i[:15] == job_id), None)
    if job is None:
        raise not_found()
    return job


def _jobs(call: Call) -> dict[str, Record]:
    call.org.account.touch()
    return call.org.account.extra.setdefault("bulk_jobs", {})
