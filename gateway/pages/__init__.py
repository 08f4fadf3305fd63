"""Page bundles: built web applications, mounted by data, whose people sign in through the gateway.

The gateway is the application's OAuth client (backend for frontend): tokens stay in a session on the server,
and the browser has a cookie. Under `{path}/api/` the page calls the APIs as the person of its session.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

__all__ = ["API", "AUTH", "RESERVED", "PageSettings", "SignInSettings", "check_pages"]

API = "/api/"
AUTH = "/auth/"
"""Under these paths of a bundle no file is served."""

RESERVED = frozenset(
    {
        "admin",
        "apis",
        "experience",
        "health",
        "hooks",
        "livez",
        "metrics",
        "oauth",
        "process",
        "readyz",
        "system",
        "vendor-hooks",
    }
)
"""The first segments of the gateway's own paths."""


class SignInSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How people sign in to a bundle: which client the gateway is, at which issuer.

    `client_id` is the consumer as which the page calls. `issuer` is one of `identity.issuers`; empty, the
    embedded one. `client_secret` is a reference (env:NAME, file:PATH); without it the client is public, but
    at the embedded issuer it has the secret of its consumer. `scopes` are asked for (empty: the issuer's
    default), `parameters` added to the authorization request. With `required` the page itself is shown to
    people with a session only. A session ends after `idle_seconds` without a call, and after
    `absolute_seconds` in any case.
    """

    client_id: Annotated[str, Meta(min_length=1)]
    issuer: str = ""
    client_secret: Annotated[str, Meta(pattern="^((env|file):.+)?$")] = ""
    scopes: tuple[str, ...] = ()
    parameters: dict[str, str] = {}
    required: bool = True
    idle_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 1800.0
    absolute_seconds: Annotated[float, Meta(gt=0, le=604_800)] = 28_800.0


class PageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bundle: the path prefix and the folder of its built files.

    `folder` is relative to that of the configuration. `entry` is the HTML file that every address of the
    application without a file gets. Files in `immutable` folders have a hash in their names: browsers never
    ask for them again.
    """

    path: Annotated[str, Meta(pattern=r"^(/[a-z][a-z0-9\-]*)+$")]
    folder: Annotated[str, Meta(min_length=1)]
    entry: str = "index.html"
    immutable: tuple[str, ...] = ("assets/",)
    sign_in: SignInSettings | None = None


def check_pages(pages: dict[str, PageSettings], issuers: set[str]) -> None:
    """Raise ValueError for a bundle that is not alone under its path, or whose issuer is not trusted."""
    for name, page in pages.items():
        if page.sign_in is not None and page.sign_in.issuer not in issuers:
            raise ValueError(f"pages.{name}.sign_in.issuer: name one of identity.issuers")
        if page.path.split("/")[1] in RESERVED:
            raise ValueError(f"pages.{name}.path: {page.path} is a path of the gateway")
        for other, one in pages.items():
            if other != name and f"{one.path}/".startswith(f"{page.path}/"):
                raise ValueError(f"pages.{other}.path: {one.path} is within pages.{name}")
