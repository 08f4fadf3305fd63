"""tests/gateway: clients of the embedded issuer, the people behind them, and a browser without scripts."""

import base64
import hashlib
import secrets
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwk

from gateway.identity.issuing.personas import Persona
from gateway.plans import Consumer, OAuthClient
from tests.gateway.deployment import CONSUMERS, URL, Deployment

BACK = "https://crm.test/callback"
OTHER_BACK = "https://desk.test/callback?from=desk"
PEOPLE = {
    "fiona.finance": Persona(
        name="Fiona Finch",
        title="Finance",
        roles=("finance", "auditor"),
        claims={"entities": ("NB-UK", "NB-DE"), "customer": "globex"},
    ),
    "sofia.marsh": Persona(name="Sofia <i>Marsh</i>", title='Sells "all" & more', roles=("sales",)),
}
EC_KEY = jwk.ECKey.generate_key("P-256")
RSA_KEY = jwk.RSAKey.generate_key(2048)
JWKS = {
    "keys": [
        {**EC_KEY.as_dict(private=False), "kid": "ec-1"},
        {**RSA_KEY.as_dict(private=False), "kid": "rsa-1"},
        {**RSA_KEY.as_dict(private=False), "kid": "rsa-2", "alg": "RS256"},
    ]
}


def with_keys(jwks: dict[str, Any]) -> dict[str, Consumer]:
    """The clients that have keys."""
    scopes = ("experience.shop.read",)
    return {
        "robot": Consumer(title="A connector with keys", scopes=scopes, client=OAuthClient(jwks=jwks)),
        "kiosk": Consumer(
            title="Keys and people", scopes=scopes, client=OAuthClient(jwks=jwks, redirect_uris=(BACK,))
        ),
    }


CLIENTS = {
    **CONSUMERS,
    **with_keys(JWKS),
    "page": Consumer(
        title="A page in a <b>browser</b>",
        scopes=("experience.shop.*", "process.works.*"),
        roles=("finance", "sales"),
        client=OAuthClient(redirect_uris=(BACK,), public=True),
    ),
    "desk": Consumer(
        title="The finance desk",
        scopes=("process.works.read", "process.works.approve"),
        roles=("finance",),
        client=OAuthClient(redirect_uris=(OTHER_BACK, BACK)),
    ),
}


class SigningDeployment(Deployment):
    """A gateway whose issuer knows those clients and people."""

    def __init__(self, folder: Path, **more: Any) -> None:
        super().__init__(folder, consumers=CLIENTS, people=PEOPLE, **more)


class _Fields(HTMLParser):
    """The form of a page: where it goes, what it would send, and how fields are labelled."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[dict[str, str | None]] = []
        self.hidden: dict[str, str] = {}
        self.choices: list[str] = []
        self.tags: list[str] = []
        self.ids: set[str] = set()
        self.labels: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        if tag == "form":
            self.forms.append(found)
        elif tag == "input" and found["type"] == "hidden":
            self.hidden[found["name"] or ""] = found["value"] or ""
        elif tag == "input":
            self.choices.append(found["value"] or "")
            self.ids.add(found["id"] or "")
        elif tag == "label":
            self.labels.add(found["for"] or "")


class Browser:
    """Somebody with a browser in which no script runs, and the client that sent them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.verifier = secrets.token_urlsafe(40)

    def question(self, **other: str | None) -> dict[str, str]:
        """The parameters of an authorization request; None leaves one out."""
        asked = {
            "response_type": "code",
            "client_id": "page",
            "redirect_uri": BACK,
            "scope": "experience.shop.read",
            "state": "s-1",
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
            **other,
        }
        return {name: value for name, value in asked.items() if value is not None}

    async def open(self, **other: str | None) -> httpx.Response:
        return await self.http.get("/oauth/authorize", params=self.question(**other))

    async def decide(
        self, page: httpx.Response, person: str = "fiona.finance", decision: str = "approve", **headers: str
    ) -> httpx.Response:
        form = {**fields(page).hidden, "person": person, "decision": decision}
        return await self.http.post("/oauth/authorize", data=form, headers=headers)

    async def sign_in(self, person: str = "fiona.finance", **other: str | None) -> str:
        """The code that the client gets."""
        page = await self.open(**other)
        assert page.status_code == 200, page.text
        return sent_back(await self.decide(page, person))["code"]

    async def redeem(
        self, code: str, auth: tuple[str, str] | None = None, **other: str | None
    ) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": self.verifier,
            **({} if auth else {"client_id": "page"}),
            **other,
        }
        data = {name: value for name, value in form.items() if value is not None}
        return await self.http.post("/oauth/token", data=data, auth=auth)


def challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def fields(page: httpx.Response) -> _Fields:
    return _Fields(page.text)


def sent_back(answer: httpx.Response, back: str = BACK, issuer: str = URL) -> dict[str, str]:
    """What the client is told in the query of its own address."""
    assert answer.status_code == 303, answer.text
    assert answer.headers["cache-control"] == "no-store"
    target = urlsplit(answer.headers["location"])
    told = {name: values[0] for name, values in parse_qs(target.query).items()}
    assert f"{target.scheme}://{target.netloc}{target.path}" == back.partition("?")[0]
    assert not target.fragment
    assert told["iss"] == issuer
    return told
