"""The sign-in page, where a person chooses an identity and approves a client: plain HTML, no script."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from gateway.catalogue import html
from gateway.exchange import Header, Reply
from gateway.identity.issuing.personas import Persona
from gateway.plans import Consumer


def ask(
    consumer: Consumer, people: Mapping[str, Persona], scopes: list[str], back: str, request: str, path: str
) -> Reply:
    """The sign-in form for `request`; its answer redirects to `back`."""
    target = urlsplit(back)
    body = html.page(
        "sign_in",
        "Sign in",
        client=consumer.title,
        path=path,
        request=request,
        people=[
            {
                "subject": subject,
                "name": person.name,
                "title": person.title,
                "roles": list(person.roles_at(consumer)),
            }
            for subject, person in people.items()
        ],
        scopes=scopes,
        back=target.netloc,
    )
    # Browsers apply form-action to the redirect after a form, too.
    return _reply(200, body, f"{html.POLICY}; form-action 'self' {target.scheme}://{target.netloc}")


def refuse(reason: str) -> Reply:
    """An error page without a redirect, since the redirect address is not trusted."""
    body = html.page("refused", "Sign in", reason=reason)
    return _reply(400, body, f"{html.POLICY}; form-action 'none'")


def _reply(status: int, body: str, policy: str) -> Reply:
    headers: list[Header] = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy.encode()),
    ]
    return Reply(status, headers, body.encode())
