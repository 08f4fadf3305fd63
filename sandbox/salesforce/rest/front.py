"""The Salesforce stand-in's front: sessions, limits and headers around the REST resources."""

import gzip
import re
import zlib

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Account, answer, body_of, dumps
from sandbox.salesforce import usage
from sandbox.salesforce.errors import Refused, allowance_gone, not_found, session_gone, too_many_at_once
from sandbox.salesforce.events.stream import tell
from sandbox.salesforce.oauth import bearer
from sandbox.salesforce.records.org import Org, org_of
from sandbox.salesforce.records.work import Actor, Work
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.rest.dispatch import dispatch
from sandbox.salesforce.rest.info import NEWEST, OLDEST, versions
from sandbox.salesforce.sessions import session_of

DATA = re.compile(r"/services/data/v(\d+\.0)(/.*)?")
LONGEST_ADDRESS = 16_384
METHODS = ["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]
EDGE_HEADERS = {
    "Server": "sfdcedge",
    "Cache-Control": "no-cache,must-revalidate,max-age=0,no-store,private",
    "Vary": "Accept-Encoding",
}


def data_routes() -> list[BaseRoute]:
    return [
        Route("/services/data", list_versions, methods=["GET"]),
        Route("/services/data/", list_versions, methods=["GET"]),
        Route("/services/data/{rest:path}", data, methods=METHODS),
    ]


async def list_versions(_request: Request) -> Response:
    return answer(versions(), headers=EDGE_HEADERS)


def admit(account: Account, request: Request) -> Response | None:
    """The vendor's limits; only calls with a live session are counted. What is refused is not counted."""
    org = org_of(account)
    if not DATA.fullmatch(request.url.path) or session_of(org, bearer(request)) is None:
        return None
    most = usage.concurrency(org)
    if most is not None and account.log.in_flight > most:
        return refusal(request, too_many_at_once())
    if usage.used(org) >= usage.allowed(org):
        return refusal(request, allowance_gone())
    usage.spend(org)
    return None


async def data(request: Request) -> Response:
    """One call; its whole effect happens here, in one go."""
    try:
        return _respond(request, _served(request))
    except Refused as refused:
        return refusal(request, refused)


def _served(request: Request) -> Reply:
    found = DATA.fullmatch(request.url.path)
    if found is None:
        raise not_found()
    account = request.state.account
    org = org_of(account) if account else None
    session = session_of(org, bearer(request)) if org else None
    if org is None or session is None:
        raise session_gone()
    request.state.principal = session["username"]
    _version_known(found[1])
    if len(str(request.url)) > LONGEST_ADDRESS:
        raise Refused(414, "URI_TOO_LONG", "The URI is too long")
    accepted = request.headers.get("accept", "")
    if "xml" in accepted and not re.search(r"json|\*/\*", accepted):
        raise Refused(406, "NOT_ACCEPTABLE", "XML is not imitated by this stand-in")
    call = _call(request, org, session["user_id"], found[1], found[2] or "")
    reply = dispatch(call)
    tell(call.work)
    return reply


def _version_known(version: str) -> None:
    """Raises: Refused."""
    if float(version) < OLDEST:
        raise Refused(410, "UNSUPPORTED_API_VERSION", f"API version {version} is retired")
    if float(version) > NEWEST:
        raise not_found()


def _call(request: Request, org: Org, user_id: str, version: str, path: str) -> Call:
    headers = {key.lower(): value for key, value in request.headers.items()}
    actor = Actor(user_id, _origin(headers, version))
    raw = body_of(request)
    if headers.get("content-encoding") == "gzip":
        raw = _unzipped(raw)
    work = Work(org, actor)
    return Call(org, work, version, request.method, path, dict(request.query_params), headers, dispatch, raw)


def _origin(headers: dict[str, str], version: str) -> str:
    """How the change event will name this road: the client's own name comes along where it is given."""
    origin = f"com/salesforce/api/rest/{version}"
    for option in headers.get("sforce-call-options", "").split(","):
        key, _, value = option.strip().partition("=")
        if key == "client":
            return f"{origin};client={value}"
    return origin


def _unzipped(raw: bytes) -> bytes:
    """Raises: Refused."""
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as problem:
        raise Refused(400, "JSON_PARSER_ERROR", "The body is not gzip") from problem


def _respond(request: Request, reply: Reply) -> Response:
    content = reply.raw
    if content is None:
        # A null body is an empty one; within a composite it is written out by its parent.
        content = b"" if reply.body is None else dumps(reply.body)
    headers = common_headers(request) | reply.headers
    return Response(content, reply.status, headers, reply.media_type if content else None)


def refusal(request: Request, refused: Refused) -> Response:
    return _respond(request, Reply(refused.status, refused.body()))


def common_headers(request: Request) -> dict[str, str]:
    account = request.state.account
    headers = EDGE_HEADERS | request_ids(request)
    known = account and session_of(org_of(account), bearer(request))
    return headers | (usage.header(org_of(account)) if known else {})


def request_ids(request: Request) -> dict[str, str]:
    """The same id in both headers: the account's own count of calls, written as the vendor writes it."""
    account, number = request.state.account, request.state.call.seq
    secret = account.secret(f"request {number}", 32) if account else f"{number:032x}"
    return {"X-SFDC-Request-Id": secret, "X-Request-Id": secret}
