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
from sandbox.salesforce.soql.parse import Query, parse
from sandbox.salesforce.soql.run import is_grouped, run

CSV = "text/csv;charset=UTF-8"
OPERATIONS = {"insert", "update", "upsert", "delete"}
COMMON = ("operation", "contentType", "lineEnding", "columnDelimiter")
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
DELIMITERS = {"COMMA": ",", "SEMICOLON": ";", "TAB": "\t", "PIPE": "|", "CARET": "^", "BACKQUOTE": "`"}


def open_ingest(call: Call) -> Reply:
    body = call.form("object", "externalIdFieldName", *COMMON)
    if body.get("operation") not in OPERATIONS:
        raise bad_request(
            "INVALIDJOB", f"The operation {body.get('operation')} is not imitated by this stand-in"
        )
    made = call.sobject(str(body.get("object")))
    if body["operation"] == "upsert":
        key_field(made, str(body.get("externalIdFieldName")))
    job = _new_job(call, body, "V2Ingest", "Open") | {"object": made.name}
    job["contentUrl"] = f"services/data/v{call.version}/jobs/ingest/{job['id']}/batches"
    _jobs(call)[job["id"]] = job
    return Reply(200, _shown(job))


def open_query(call: Call) -> Reply:
    body = call.form("query", *COMMON)
    if body.get("operation") not in {"query", "queryAll"}:
        raise bad_request("INVALIDJOB", "The operation of a query job is query or queryAll")
    _selects_plainly(parse(str(body.get("query", ""))))
    deleted = body["operation"] == "queryAll"
    found = run(call.org, str(body.get("query", "")), call.base, call.user(), deleted=deleted)
    rows = [_flat(row) for row in found.rows]
    if any(isinstance(value, dict) for row in rows for value in row.values()):
        raise bad_request("API_ERROR", "Selecting compound data not supported in Bulk Query")
    job = _new_job(call, body, "V2Query", "JobComplete") | {"rows": rows, "numberRecordsProcessed": len(rows)}
    _jobs(call)[job["id"]] = job
    # The work is done at once; the client still sees the state that a job starts in.
    return Reply(200, _shown(job) | {"state": "UploadComplete"})


def _selects_plainly(query: Query) -> None:
    """Raises: Refused."""
    if any(isinstance(column, Query) for column in query.columns):
        raise bad_request("API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if is_grouped(query) or query.offset:
        raise bad_request("API_ERROR", "GROUP BY, OFFSET and aggregates are not supported in Bulk Query")


def _new_job(call: Call, body: Record, kind: str, state: str) -> Record:
    known = {"contentType": {"CSV"}, "lineEnding": LINE_ENDINGS, "columnDelimiter": DELIMITERS}
    for name, values in known.items():
        if name in body and body[name] not in values:
            raise bad_request("INVALIDJOB", f"{name} is one of {', '.join(sorted(values))}")
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
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/csv":
        raise bad_request("INVALIDJOB", f"The content type of a job's data is text/csv, not {kind}")
    try:
        job["csv"] = call.raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise bad_request("INVALIDJOB", "The data of a job are UTF-8") from problem
    return Reply(201)


def change_state(call: Call, job_id: str) -> Reply:
    job, wanted = _job(call, job_id), call.form("state").get("state")
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
    data: Record = {}
    for name, cell in row.items():
        parent, dot, key = name.partition(".")
        value = None if cell == "#N/A" else cell
        if cell:
            data[parent] = {key: value} if dot and value is not None else value
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
    job = _job(call, job_id)
    rows = job["rows"]
    asked = call.query.get("locator", "0"), call.query.get("maxRecords", "50000")
    if not all(number.isdecimal() for number in asked) or not int(asked[1]):
        raise bad_request("INVALIDJOB", "locator and maxRecords are as they were given, and numbers")
    start, size = map(int, asked)
    page = rows[start : start + size]
    following = str(start + size) if start + size < len(rows) else "null"
    headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(len(page))}
    return _csv(page, list(rows[0]) if rows else [], headers, LINE_ENDINGS[job["lineEnding"]])


def _csv(
    rows: list[dict[str, Any]], columns: list[str], headers: dict[str, str] | None = None, ending: str = "\n"
) -> Reply:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, quoting=csv.QUOTE_ALL, lineterminator=ending, extrasaction="ignore")
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
    kind = "V2Query" if call.path.startswith("/jobs/query") else "V2Ingest"
    if job is None or job["jobType"] != kind:
        raise not_found()
    return job


def _jobs(call: Call) -> dict[str, Record]:
    call.org.account.touch()
    return call.org.account.extra.setdefault("bulk_jobs", {})
