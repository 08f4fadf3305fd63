"""The Salesforce stand-in's conditional requests: dates for every row, entity tags for accounts only."""

import base64
import hashlib
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from sandbox.core import dumps
from sandbox.salesforce.errors import bad_request
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.records.values import read_datetime
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.schema.fields import SObject


def validators(made: SObject, record: Record) -> dict[str, str]:
    modified = read_datetime(record["LastModifiedDate"]).astimezone(UTC)
    headers = {"Last-Modified": format_datetime(modified, usegmt=True)}
    if made.name == "Account":
        headers["ETag"] = entity_tag(record)
    return headers


def entity_tag(record: Record) -> str:
    digest = base64.b64encode(hashlib.sha256(dumps(record)).digest()).decode()
    return f'"{digest}--gzip"'


def precondition(call: Call, made: SObject, record: Record) -> Reply | None:
    """304 or 412 where a condition of the request is not met. Raises: Refused."""
    reading = call.method in {"GET", "HEAD"}
    modified = read_datetime(record["LastModifiedDate"])
    failed = Reply(304, None, validators(made, record)) if reading else Reply(412)
    if made.name == "Account" and not _tags_agree(call, entity_tag(record)):
        return failed if reading and "if-none-match" in call.headers else Reply(412)
    since = _moment(call, "if-modified-since")
    if since and modified <= since:
        return failed
    until = _moment(call, "if-unmodified-since")
    if until and modified > until:
        return Reply(412)
    return None


def _tags_agree(call: Call, tag: str) -> bool:
    wanted, unwanted = call.headers.get("if-match"), call.headers.get("if-none-match")
    if wanted is not None and wanted != "*" and tag not in _tags(wanted):
        return False
    return unwanted is None or (unwanted != "*" and tag not in _tags(unwanted))


def _tags(header: str) -> list[str]:
    return [tag.strip() for tag in header.split(",")]


def _moment(call: Call, header: str) -> datetime | None:
    text = call.headers.get(header)
    if text is None:
        return None
    try:
        at = parsedate_to_datetime(text)
    except ValueError as problem:
        if call.method in {"GET", "HEAD"}:
            return None
        raise bad_request("MALFORMED_HEADER", f"{header}: {text} is no HTTP date") from problem
    return at if at.tzinfo else at.replace(tzinfo=UTC)
