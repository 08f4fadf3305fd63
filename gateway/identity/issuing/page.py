"""The sign-in page, where a person chooses an identity and approves a client: plain HTML, no script."""

from collections.abc import Mapping
from html import escape
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
    choices = "".join(
        _choice(number, subject, person, consumer) for number, (subject, person) in enumerate(people.items())
    )
    allowed = "".join(f"<li><code>{escape(scope)}</code></li>" for scope in scopes)
    body = (
        f"<h1>Sign in</h1><p class=lead>{escape(consumer.title)}</p>"
        f'<form method="post" action="{escape(path)}">'
        f'<input type="hidden" name="request" value="{escape(request)}">'
        f"<fieldset><legend>Who are you?</legend>{choices}</fieldset>"
        f"<h2>What it may do in your name</h2><ul>{allowed}</ul>"
        f"<p>You will be sent back to <code>{escape(target.netloc)}</code>.</p>"
        '<p><button name="decision" value="approve">Approve</button> '
        '<button name="decision" value="deny" class=second formnovalidate>Deny</button></p></form>'
        "<p class=meta>This is the development sign-in: it asks for no password. "
        "A firm names its own identity provider and switches this one off.</p>"
    )
    # Browsers apply form-action to the redirect after a form, too.
    return _reply(
        200, "Sign in", body, f"{html.POLICY}; form-action 'self' {target.scheme}://{target.netloc}"
    )


def _choice(number: int, subject: str, person: Persona, consumer: Consumer) -> str:
    roles = ", ".join(person.roles_at(consumer)) or "no role"
    return (
        f'<div class=choice><input type="radio" name="person" id="person-{number}" '
        f'value="{escape(subject)}" required>'
        f'<label for="person-{number}"><b>{escape(person.name)}</b> <small>{escape(subject)}</small><br>'
        f"{escape(person.title)}<br><small>Here: {escape(roles)}</small></label></div>"
    )


def refuse(reason: str) -> Reply:
    """An error page without a redirect, since the redirect address is not trusted."""
    body = (
        f"<h1>This sign-in cannot continue</h1><p class=lead>{escape(reason)}</p>"
        "<p>Go back to the application and start again. If that does not help, ask its developer.</p>"
    )
    return _reply(400, "Sign in", body, f"{html.POLICY}; form-action 'none'")


def _reply(status: int, title: str, body: str, policy: str) -> Reply:
    headers: list[Header] = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy.encode()),
    ]
    return Reply(status, headers, html.page(title, body).encode())
