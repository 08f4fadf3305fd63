"""The NetSuite stand-in's front door: who is asking, which service, and the headers that every answer has."""

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.core import Account, World, answer, body_of, loads, origin
from sandbox.core.wire import BadJson
from sandbox.netsuite import catalog, jobs, keys, oauth2, tba
from sandbox.netsuite.not_imitated import OF_CATALOGUE, OF_QUERY, check_query, lacking
from sandbox.netsuite.paging import page, window
from sandbox.netsuite.problems import MEDIA, Refusal
from sandbox.netsuite.recordapi import call_of, perform
from sandbox.netsuite.schema import TYPES
from sandbox.netsuite.suiteql import run

PREFIX = "/services/rest/"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
QUERY_CEILING = 100_000


def find_account(world: World, request: Request) -> Account | None:
    """By the host where it names an account, otherwise by the credentials."""
    host = request.headers.get("host", "").split(":")[0].lower()
    if host.endswith(".netsuite.com"):
        return _by_id(world, host.split(".")[0].upper().replace("-", "_"))
    if request.url.path == oauth2.TOKEN_PATH:
        return oauth2.account_of_token_call(world, request)
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_id(world, oauth2.token_account_id(credential))
    if scheme.lower() == "oauth":
        return _by_id(world, tba.read(f"OAuth {credential}").get("realm", ""))
    return _by_id(world, keys.STORY_ID) if request.url.path.endswith("/oauth2/v1/keys") else None


def _by_id(world: World, account_id: str) -> Account | None:
    return world.find(lambda account: keys.account_id(account) == account_id) if account_id else None


class FrontRoutes:
    def __init__(self) -> None:
        self._nonces: dict[str, dict[tuple[str, str, str], float]] = {}

    def routes(self) -> list[BaseRoute]:
        return [
            Route(PREFIX + "{path:path}", self.serve, methods=METHODS),
            Route("/app/site/hosting/restlet.nl", self.restlet, methods=METHODS),
            Route("/services/NetSuitePort{version:path}", self.soap, methods=METHODS),
            Route("/rest/tokeninfo", self.token_info, methods=["GET"]),
        ]

    async def serve(self, request: Request) -> Response:
        account: Account | None = request.state.account
        try:
            response = self._answer(account, request)
        except Refusal as refusal:
            response = refusal.response()
        return _with_headers(account, request, response)

    def _answer(self, account: Account | None, request: Request) -> Response:
        """Raises: Refusal."""
        if request.url.path == oauth2.TOKEN_PATH:
            if request.method != "POST":
                raise Refusal(405)
            return oauth2.grant(account, request)
        path = request.path_params["path"].split("/")
        if path[:3] == ["auth", "oauth2", "v1"] and path[3:] == ["keys"] and account:
            return oauth2.jwks(account)
        self._authenticate(account, request)
        assert account  # noqa: S101 - authenticated
        return _service(account, request, [part for part in path if part])

    def _authenticate(self, account: Account | None, request: Request) -> None:
        """Raises: Refusal."""
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        realm = keys.account_id(account) if account else ""
        if scheme.lower() == "bearer":
            if len(credential.split(".")) != 3:
                raise _malformed(realm)
            if account is None or not oauth2.is_good(account, credential):
                raise _expired(realm)
            request.state.principal = f"oauth2:{oauth2.ROLE};{oauth2.ENTITY}"
        elif scheme.lower() == "oauth":
            if account is None or not tba.is_good(
                account, request, self._nonces.setdefault(account.name, {})
            ):
                raise Refusal(401)
            request.state.principal = f"tba:{oauth2.ROLE};{oauth2.ENTITY}"
        else:
            raise Refusal(401)

    async def restlet(self, request: Request) -> Response:
        return _with_headers(request.state.account, request, lacking("restlet").response())

    async def soap(self, request: Request) -> Response:
        return _with_headers(request.state.account, request, lacking("soap").response())

    async def token_info(self, request: Request) -> Response:
        """What the REST host for RESTlets says of a TBA token."""
        account: Account | None = request.state.account
        try:
            self._authenticate(account, request)
        except Refusal as refusal:
            return _with_headers(account, request, refusal.response())
        company = keys.account_id(account) if account else ""
        body = {
            "companyId": company,
            "roleId": oauth2.ROLE,
            "entityId": oauth2.ENTITY,
            "roleName": "Integration",
        }
        return _with_headers(account, request, answer(body))


def _malformed(realm: str) -> Refusal:
    refusal = Refusal(
        400, "INVALID_REQUEST", "The request could not be understood by the server due to malformed syntax."
    )
    refusal.headers["WWW-Authenticate"] = (
        f'Bearer realm="{realm}", error="invalid_request", '
        'error_description="The request could not be understood by the server due to malformed syntax."'
    )
    return refusal


def _expired(realm: str) -> Refusal:
    refusal = Refusal(401)
    refusal.headers["WWW-Authenticate"] = (
        f'Bearer realm="{realm}", error="invalid_token", error_description="Invalid login attempt."'
    )
    return refusal


def _service(account: Account, request: Request, path: list[str]) -> Response:
    """Raises: Refusal."""
    head, rest = path[:2], path[2:]
    if head == ["record", "v1"] and rest:
        return _record(account, request, rest)
    if head == ["query", "v1"] and rest == ["suiteql"]:
        return _suiteql(account, request)
    if head == ["async", "v1"]:
        return jobs.poll(account, rest, origin(request))
    if head == ["system", "v1"] and rest == ["governanceLimits"]:
        return answer(governance(account), media_type=MEDIA.format("singular"))
    raise lacking("service", 404)


def _record(account: Account, request: Request, path: list[str]) -> Response:
    if path[0] == "metadata-catalog":
        check_query(request.query_params, OF_CATALOGUE)
        select, accept = request.query_params.get("select"), request.headers.get("accept", "")
        return catalog.serve(account, path[1:], select, accept, origin(request))
    call = call_of(request, path)
    if "respond-async" in request.headers.get("prefer", ""):
        return jobs.start(account, call)
    return perform(account, call)


def _suiteql(account: Account, request: Request) -> Response:
    if request.method != "POST":
        raise Refusal(405)
    if "transient" not in request.headers.get("prefer", ""):
        sentence = "The 'Prefer: transient' header is required."
        raise Refusal(400, "INVALID_HEADER", sentence, errorHeader="Prefer")
    check_query(request.query_params, OF_QUERY)
    limit, offset = window(request)
    try:
        body = loads(body_of(request))
    except BadJson as bad:
        raise Refusal(
            400, "INVALID_CONTENT", "Invalid content in the request body. Provide valid JSON."
        ) from bad
    if not isinstance(body, dict) or not isinstance(body.get("q"), str):
        raise Refusal(
            400, "INVALID_CONTENT", "The request body needs the property 'q' with the query.", errorPath="q"
        )
    rows = run(account, body["q"], body.get("params") or [], _hidden(account))[:QUERY_CEILING]
    items = [{"links": [], **row} for row in rows[offset : offset + limit]]
    shown = page(request, rows, items, limit, offset)
    # The query service counts truly, up to its ceiling; only record lists cap their total.
    shown |= {"totalResults": len(rows), "hasMore": offset + len(items) < len(rows)}
    return answer(shown, media_type=MEDIA.format("collection"))


def _hidden(account: Account) -> set[str]:
    """The tables of record types that the role may not even view."""
    closed = {name for name, level in account.settings.get("permissions", {}).items() if level == "none"}
    names = {name.lower() for name in closed} | ({"item"} if "serviceSaleItem" in closed else set())
    both = {name for name, kind in TYPES.items() if kind.is_transaction} <= closed
    return names | ({"transaction", "transactionline"} if both else set())


def limits(account: Account) -> dict[str, int]:
    return account.extra.setdefault("limits", {"concurrency": int(account.settings.get("concurrency", 5))})


def governance(account: Account) -> dict[str, int | str]:
    most = limits(account)["concurrency"]
    return {
        "accountConcurrencyLimit": most,
        "accountUnallocatedConcurrencyLimit": most,
        "integrationConcurrencyLimit": most,
        "integrationLimitType": "accountLimit",
    }


def _with_headers(account: Account | None, request: Request, response: Response) -> Response:
    seed = f"{account.name if account else ''}|{request.state.call.seq}"
    response.headers.update(
        {
            "x-n-operationid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"operation|{seed}")),
            "x-netsuite-jobid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"job|{seed}")),
            "cache-control": response.headers.get("cache-control", "No-Cache"),
            "pragma": "No-Cache",
            "expires": "0",
            "strict-transport-security": "max-age=31536000",
            "vary": "User-Agent, Accept-Encoding",
        }
    )
    return response
