"""The Salesforce stand-in's calls: one request as the resources see it, sent alone or within a composite."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.core import loads
from sandbox.core.wire import BadJson
from sandbox.salesforce.errors import Ambiguous, Refused, bad_request, not_found, unrecognized
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.records.work import Work
from sandbox.salesforce.schema.fields import SObject


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json;charset=UTF-8"


@dataclass
class Call:
    """Path is what follows the version; a body is parsed where a resource asks for it."""

    org: Org
    work: Work
    version: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    # The same dispatch that found this resource, for those that hold further requests.
    again: "Callable[[Call], Reply]"
    raw: bytes = b""
    parsed: Any = None

    def inner(
        self, method: str, url: str, *, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> "Call":
        """A request within this one; its address may start with /services/data/. Raises: Refused."""
        parts = urlsplit(url)
        found = re.fullmatch(r"/?(?:services/data/)?v(\d+\.\d)(/.*)?", parts.path)
        if not found:
            raise bad_request("INVALID_INPUT", f"The url {url} is not under /services/data/")
        return Call(
            self.org, self.work, found[1], method.upper(), unquote(found[2] or ""),
            dict(parse_qsl(parts.query)), {k.lower(): v for k, v in (headers or {}).items()},
            self.again, parsed={} if body is None else body,
        )  # fmt: skip

    @property
    def base(self) -> str:
        return f"/services/data/v{self.version}"

    @property
    def number(self) -> float:
        return float(self.version)

    def body(self) -> dict[str, Any]:
        """The request's JSON object. Raises: Refused."""
        if self.parsed is None:
            kind = self.headers.get("content-type", "application/json").partition(";")[0].strip()
            if kind != "application/json" and self.raw:
                raise Refused(415, "UNSUPPORTED_MEDIA_TYPE", f"The Content-Type {kind} is not supported")
            try:
                self.parsed = loads(self.raw)
            except BadJson as problem:
                raise bad_request("JSON_PARSER_ERROR", f"{problem} at [line:1, column:1]") from problem
        if not isinstance(self.parsed, dict):
            raise bad_request("JSON_PARSER_ERROR", "The HTTP entity body is required to be an object")
        return self.parsed

    def form(self, *known: str) -> dict[str, Any]:
        """The request's JSON object, which has no other members than these. Raises: Refused."""
        body = self.body()
        only(body, known)
        return body

    def user(self) -> Record | None:
        return self.org.get("User", self.work.actor.user_id)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def sobject(self, name: str) -> SObject:
        """Raises: Refused."""
        made = self.org.object(name)
        if made is None:
            raise not_found()
        return made

    def location(self, made: SObject, record_id: str) -> str:
        return f"{self.base}/sobjects/{made.name}/{record_id}"


Handler = Callable[..., Reply]


def attempt(call: Call, handler: Callable[[], Reply]) -> Reply:
    """The handler's reply, or its refusal with everything it wrote undone."""
    mark = call.work.mark()
    try:
        return handler()
    except Refused as refused:
        call.work.rollback(mark)
        return Reply(refused.status, refused.body())
    except Ambiguous as several:
        call.work.rollback(mark)
        base = call.path.split("/")
        return Reply(300, [f"{call.base}/sobjects/{base[2]}/{record_id}" for record_id in several.ids])


def only(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises: Refused, for a member that would otherwise be passed over in silence."""
    unknown = next((name for name in body if name not in known), None)
    if unknown is not None:
        raise unrecognized(unknown)


def created(record_id: str, **more: Any) -> dict[str, Any]:
    return {"id": record_id, "success": True, "errors": [], **more}
