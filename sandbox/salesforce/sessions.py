"""The Salesforce stand-in's sessions: access tokens, whose org they name, and how long they live."""

import hashlib
from datetime import timedelta
from typing import Any

from sandbox.core import World
from sandbox.salesforce.records.org import Org, Record, org_of
from sandbox.salesforce.records.values import read_datetime, show_datetime

SESSION_SECONDS = 7200
# A session's last use is noted this rarely, so that reading alone does not make the state be saved.
NOTED_EVERY = timedelta(seconds=30)


def client_id(org: Org) -> str:
    return "3MVG9" + org.account.secret("client id", 80)


def client_secret(org: Org) -> str:
    return org.account.secret("client secret").upper()


def open_session(org: Org, user: Record, *, refreshable: bool = False) -> tuple[str, str | None]:
    """A new access token, and a refresh token where asked for."""
    token = f"{org.org_id[:15]}!AQEAQ{org.account.token('session', 88)}"
    session = {"user_id": user["Id"], "username": user["Username"], "used": show_datetime(org.now())}
    _sessions(org)[_digest(token)] = session
    refresh = None
    if refreshable:
        refresh = f"5Aep861{org.account.token('refresh', 72)}"
        org.account.extra.setdefault("refresh_tokens", {})[_digest(refresh)] = user["Id"]
    org.account.touch()
    return token, refresh


def first_refresh_token(org: Org) -> str:
    """The one that the integration user's consent gave, before this org was met."""
    return f"5Aep861{org.account.secret('refresh', 72)}"


def approve(org: Org) -> None:
    """Let the first refresh token be worth something."""
    known = org.account.extra.setdefault("refresh_tokens", {})
    known[_digest(first_refresh_token(org))] = org.integration_user()["Id"]


def org_of_token(world: World, token: str) -> Org | None:
    """The org whose id an access token starts with."""
    short, bang, _ = token.partition("!")
    if not bang:
        return None
    account = world.find(lambda account: org_of(account).org_id[:15] == short[:15])
    return org_of(account) if account else None


def session_of(org: Org, token: str) -> dict[str, Any] | None:
    """The live session of a token; using it keeps it alive."""
    session = _sessions(org).get(_digest(token))
    if session is None or org.account.is_dead(token):
        return None
    seconds = org.account.extra.get("limits", {}).get("session_seconds", SESSION_SECONDS)
    unused = org.now() - read_datetime(session["used"])
    if unused > timedelta(seconds=float(seconds)):
        return None
    if unused > NOTED_EVERY:
        session["used"] = show_datetime(org.now())
        org.account.touch()
    return session


def user_of_refresh(org: Org, token: str) -> Record | None:
    user_id = org.account.extra.get("refresh_tokens", {}).get(_digest(token))
    return org.get("User", user_id) if user_id else None


def revoke(org: Org, token: str) -> bool:
    """Whether there was such an access or refresh token."""
    digest = _digest(token)
    access = _sessions(org).pop(digest, None)
    refresh = org.account.extra.get("refresh_tokens", {}).pop(digest, None)
    org.account.touch()
    return access is not None or refresh is not None


def revoke_all(org: Org) -> None:
    _sessions(org).clear()


def _sessions(org: Org) -> dict[str, Any]:
    return org.account.extra.setdefault("sessions", {})


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
