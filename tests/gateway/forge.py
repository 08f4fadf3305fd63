"""tests/gateway: a forge: issuers on a real address, and whatever they could be made to sign."""

import base64
import hashlib
import json
import threading
import time
import uuid
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from gateway.identity import Introspection, Issuer
from tests.gateway.deployment import URL, Deployment
from tests.support.certificates import self_signed

LOGIN, OTHER, OPAQUE = "https://login.test", "https://other.test", "https://opaque.test"
ORDERS = "/experience/shop/v1/orders/o-1"
TERMINATOR = "127.0.0.2"
Key = jwk.RSAKey | jwk.ECKey


def encode(value: Any) -> str:
    """JSON or bytes as a JWT's part."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Forge:
    """Two issuers of JWTs, one of opaque tokens, a DPoP key and two certificates."""

    def __init__(self) -> None:
        self.rsa = jwk.RSAKey.generate_key(2048)
        self.ec = jwk.ECKey.generate_key("P-256")
        self.ec384 = jwk.ECKey.generate_key("P-384")
        self.other = jwk.RSAKey.generate_key(2048)
        self.stranger = jwk.RSAKey.generate_key(2048)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            self.small = jwk.RSAKey.generate_key(1024)
        self.holder = jwk.ECKey.generate_key("P-256")
        self.thief = jwk.ECKey.generate_key("P-256")
        self.certificate, self.other_certificate = self_signed("mine"), self_signed("other")
        self.opaque: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[dict[str, list[str]], str]] = []
        self.keys: dict[str, Key] = {}
        self.server = _serve(self)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def issuers(self) -> tuple[Issuer, ...]:
        """The issuers as a gateway's settings name them."""
        return (
            Issuer(issuer=LOGIN, jwks_uri=f"{self.address}/login"),
            Issuer(issuer=OTHER, jwks_uri=f"{self.address}/other"),
            Issuer(
                issuer=OPAQUE,
                introspection=Introspection(
                    endpoint=f"{self.address}/introspect",
                    client_id="gate way",
                    client_secret="env:INTROSPECTION_SECRET",
                    prefix="opq_",
                    cache_seconds=0.2,
                    negative_seconds=0,
                ),
            ),
        )

    def jwks(self, name: str) -> dict[str, Any]:
        published = {"other": {"other-1": self.other}}.get(
            name, {"rsa": self.rsa, "ec": self.ec, "ec384": self.ec384, "small": self.small}
        )
        algorithms = {"rsa": "RS256", "other-1": "RS256"}
        found = []
        for kid, key in published.items():
            said = {"alg": algorithms[kid]} if kid in algorithms else {}
            found.append({**key.as_dict(private=False), "kid": kid, "use": "sig", **said})
        return {"keys": found}

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        found = {
            "iss": LOGIN,
            "sub": "pat",
            "aud": URL,
            "client_id": "ci",
            "iat": now,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
            "scope": "experience.shop.read",
            **other,
        }
        return {name: value for name, value in found.items() if value is not ...}

    def token(self, header: Any = None, key: Key | None = None, **claims: Any) -> str:
        """A token of the login issuer; `...` takes a claim or a header away."""
        return self.sign(header, self.claims(**claims), key)

    def sign(self, header: dict[str, Any] | None, payload: Any, key: Key | None = None) -> str:
        """A JWT rightly signed over whatever header and payload (JSON, or bytes as they are)."""
        full = {"alg": "RS256", "typ": "at+jwt", "kid": "rsa", **(header or {})}
        full = {name: value for name, value in full.items() if value is not ...}
        return self.seal(encode(full), encode(payload), key or self.rsa, str(full.get("alg")))

    def seal(self, header: str, payload: str, key: Key, algorithm: str = "RS256") -> str:
        """The two parts with a signature, which joserfc makes whatever the header says."""
        fitting = {"RSA": ("RS256", "PS256", "RS512"), "EC": ("ES256", "ES384")}[key.key_type]
        known = algorithm if algorithm in fitting else fitting[0]
        model = jws.JWSRegistry.algorithms[known]
        signed = f"{header}.{payload}"
        return f"{signed}.{encode(model.sign(signed.encode(), key))}"

    def bound(self, **more: Any) -> str:
        """A token that is bound to the holder's key."""
        return self.token(cnf={"jkt": self.holder.thumbprint()}, **more)

    def certified(self, **more: Any) -> str:
        """A token that is bound to the certificate."""
        return self.token(cnf={"x5t#S256": encode(hashlib.sha256(self.certificate).digest())}, **more)

    def proof(self, token: str, header: Any = None, key: Key | None = None, **claims: Any) -> str:
        """A DPoP proof for a read of the order; `...` takes a claim or a header away."""
        signer = key or self.holder
        content = {
            "jti": uuid.uuid4().hex,
            "htm": "GET",
            "htu": URL + ORDERS,
            "iat": int(time.time()),
            "ath": encode(hashlib.sha256(token.encode()).digest()),
            **claims,
        }
        full = {"alg": "ES256", "typ": "dpop+jwt", "jwk": signer.as_dict(private=False), **(header or {})}
        full, content = ({n: v for n, v in part.items() if v is not ...} for part in (full, content))
        return self.seal(encode(full), encode(content), signer, "ES256")

    def active(self, name: str, **claims: Any) -> str:
        """An opaque token of which its issuer says this."""
        token = f"opq_{name}_{uuid.uuid4().hex}"
        told = self.claims(iss=OPAQUE, active=True, jti=...)
        self.opaque[token] = {n: v for n, v in {**told, **claims}.items() if v is not ...}
        return token


def client_cert(der: bytes) -> str:
    """A certificate as RFC 9440 writes it."""
    return ":" + base64.b64encode(der).decode() + ":"


def _serve(forge: Forge) -> ThreadingHTTPServer:
    """Key sets at /login and /other, introspection at /introspect."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(forge.jwks(self.path.removeprefix("/")))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            forge.asked.append((form, self.headers["Authorization"]))
            self._answer(forge.opaque.get(form["token"][0], {"active": False}))

        def _answer(self, content: Any) -> None:
            body = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def no_text(deployment: Deployment) -> str:
    """A token that the deployment's own issuer signed, whose subject has a lone surrogate."""
    key = deployment.issuer.keyring._current
    claims = deployment.issuer.claims_for("ci") | {"sub": "eve\udcff"}
    header = {"alg": "RS256", "typ": "at+jwt", "kid": key.thumbprint()}
    return jws.serialize_compact(header, json.dumps(claims).encode(), key)
