"""tests/gateway: hostile credentials, as data: what is sent, and how it must be refused."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gateway.identity.api_keys import new_key
from tests.gateway.deployment import URL
from tests.gateway.forge import LOGIN, ORDERS, OTHER, Forge, client_cert, encode

Headers = list[tuple[str, str | bytes]]


@dataclass
class Sent:
    """A request: its headers, its path, and whether it comes through our TLS terminator."""

    headers: Headers
    path: str = ORDERS
    terminated: bool = False
    twice: bool = False


@dataclass(frozen=True)
class Hostile:
    """One attempt, and the refusal that it must meet; without `error` the challenge is a bare one."""

    name: str
    make: Callable[["Yard"], Sent]
    status: int = 401
    code: str = "invalid_token"
    scheme: str = "Bearer"
    error: str = "invalid_token"

    def __str__(self) -> str:
        return self.name


@dataclass
class Yard:
    """What attempts are made from: the forge, API keys by what is wrong with them, and revoked names."""

    forge: Forge
    keys: dict[str, str] = field(default_factory=dict)


def bearer(*tokens: str | bytes, **more: Any) -> Sent:
    return Sent(
        [("Authorization", b"Bearer " + t if isinstance(t, bytes) else f"Bearer {t}") for t in tokens], **more
    )


def dpop(token: str, *proofs: str, **more: Any) -> Sent:
    return Sent([("Authorization", f"DPoP {token}"), *(("DPoP", proof) for proof in proofs)], **more)


def certified(token: str, *values: str, terminated: bool = True, name: str = "Client-Cert") -> Sent:
    headers: Headers = [("Authorization", f"Bearer {token}"), *((name, value) for value in values)]
    return Sent(headers, terminated=terminated)


# Headers of a token that is otherwise in order.
HEADERS: dict[str, dict[str, Any]] = {
    "typ JWT, as an ID token has it": {"typ": "JWT"},
    "no typ": {"typ": ...},
    "typ of a logout token": {"typ": "logout+jwt"},
    "typ of a proof": {"typ": "dpop+jwt"},
    "typ no text": {"typ": 1},
    "alg PS256 where the key says RS256": {"alg": "PS256"},
    "alg RS512": {"alg": "RS512"},
    "alg ES256 on an RSA key": {"alg": "ES256", "kid": "rsa"},
    "alg no text": {"alg": ["RS256"]},
    "alg null": {"alg": None},
    "no alg": {"alg": ...},
    "kid withdrawn": {"kid": "rsa-of-last-year"},
    "kid a path": {"kid": "../../../../dev/null"},
    "kid SQL": {"kid": "x' UNION SELECT 'secret' --"},
    "kid a command": {"kid": "rsa|id"},
    "kid with a zero byte": {"kid": "rsa\x00"},
    "kid with a space": {"kid": "rsa "},
    "kid no text": {"kid": 1},
    "kid an object": {"kid": {"$ne": ""}},
    "kid without end": {"kid": "r" * 3000},
    "crit with an unknown word": {"crit": ["exotic"], "exotic": True},
    "crit with exp": {"crit": ["exp"], "exp": 1},
    "crit empty": {"crit": []},
    "crit no list": {"crit": "exp"},
    "b64 false": {"b64": False, "crit": ["b64"]},
    "b64 false without crit": {"b64": False},
}


def nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


# Claims of a token that is otherwise in order.
CLAIMS: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "https://elsewhere.test"},
    "a list of other audiences": {"aud": ["https://elsewhere.test", URL + ".evil.test"]},
    "an audience that begins like ours": {"aud": URL + "/"},
    "an audience in another case": {"aud": URL.upper()},
    "no audience": {"aud": ...},
    "audience empty": {"aud": []},
    "audience an object": {"aud": {URL: True}},
    "audience in a list in a list": {"aud": [[URL]]},
    "an issuer that is not known": {"iss": "https://evil.test"},
    "an issuer with a slash too many": {"iss": LOGIN + "/"},
    "an issuer in look-alike letters": {"iss": "https://lоgin.test"},
    "issuer a list": {"iss": [LOGIN]},
    "no issuer": {"iss": ...},
    "expired": {"iat": int(time.time()) - 600, "exp": int(time.time()) - 60},
    "issued tomorrow": {"iat": int(time.time()) + 80_000, "exp": int(time.time()) + 80_100},
    "not valid before tomorrow": {"nbf": int(time.time()) + 80_000},
    "living too long": {"exp": int(time.time()) + 200_000},
    "exp text": {"exp": str(int(time.time()) + 60)},
    "exp true": {"exp": True},
    "exp null": {"exp": None},
    "exp a list": {"exp": [int(time.time()) + 60]},
    "exp beyond all time": {"exp": 2**63},
    "exp negative": {"exp": -1},
    "no exp": {"exp": ...},
    "iat text": {"iat": "now"},
    "no iat": {"iat": ...},
    "nbf false": {"nbf": False},
    "nobody": {"sub": ...},
    "sub empty": {"sub": ""},
    "sub a number": {"sub": 7},
    "sub without end": {"sub": "s" * 2000},
    "sub with a lone surrogate": {"sub": "eve\udcff"},
    "sub with a zero byte": {"sub": "eve\x00"},
    "a lone surrogate in a claim that nobody reads": {"notes": [{"a": "\ud800"}]},
    "a lone surrogate in a claim's name": {"\udcff": 1},
    "a lone surrogate very deep": {"notes": nested("\ud800", 600)},
    "no id": {"jti": ...},
    "id a number": {"jti": 7},
    "no client": {"client_id": ...},
    "client a list": {"client_id": ["ci"]},
    "a client that is not known": {"client_id": "nobody"},
    "a client in look-alike letters": {"client_id": "сi"},
    "bound to nothing": {"cnf": {}},
    "bound in an unknown way": {"cnf": {"jwk": {"kty": "oct"}}},
    "bound in a known and an unknown way": {"cnf": {"jkt": "x", "kid": "y"}},
    "bound by no object": {"cnf": "x"},
    "bound to no text": {"cnf": {"jkt": 1}},
    "revoked by its id": {"jti": "revoked-id"},
    "revoked with all of its person": {"sub": "leaver"},
    "revoked with all of its consumer": {"client_id": "dismissed"},
    "a consumer that must prove itself": {"client_id": "sealed"},
    "a consumer that must show a certificate": {"client_id": "certified"},
}

# Payloads as raw bytes, rightly signed. {0} is the rest of the claims in order.
PAYLOADS: dict[str, bytes] = {
    "exp NaN": b'{"exp":NaN,{0}}',
    "exp Infinity": b'{"exp":Infinity,{0}}',
    "exp 1e400": b'{"exp":1e400,{0}}',
    "a claim named twice": b'{"aud":"https://elsewhere.test","exp":{1},{0}}',
    "a claim named twice, once in escapes": b'{"\\u0073ub":"root","exp":{1},{0}}',
    "payload a list": b'[{"exp":{1},{0}}]',
    "payload text": b'"claims"',
    "payload no JSON": b"<claims/>",
    "payload with a comment": b'{"exp":{1},/* x */{0}}',
    "payload after a byte order mark": b'\xef\xbb\xbf{"exp":{1},{0}}',
    "payload no UTF-8": b'{"exp":{1},"x":"\xff",{0}}',
    "payload with more behind it": b'{"exp":{1},{0}}{}',
    "payload nested without end": b'{"exp":{1},"x":' + b"[" * 2500 + b"]" * 2500 + b",{0}}",
    "payload with full-width digits": '{"exp":１２３４５６７８９０,{0}}'.encode(),
}


def _from_payload(yard: Yard, raw: bytes) -> Sent:
    rest = json.dumps(yard.forge.claims(exp=...))[1:-1].encode()
    filled = raw.replace(b"{0}", rest).replace(b"{1}", str(int(time.time()) + 300).encode())
    return bearer(yard.forge.sign(None, filled))


def _unsigned(algorithm: str, *, signature: bool = False) -> Callable[[Yard], Sent]:
    def make(yard: Yard) -> Sent:
        header = encode({"alg": algorithm, "typ": "at+jwt", "kid": "rsa"})
        whole = yard.forge.token().split(".")
        return bearer(f"{header}.{whole[1]}.{whole[2] if signature else ''}")

    return make


def _by_hmac(secret: Callable[[Forge], bytes], algorithm: str = "HS256") -> Callable[[Yard], Sent]:
    """Signed with what everybody knows: the public key, as if it were a shared secret."""

    def make(yard: Yard) -> Sent:
        head = encode({"alg": algorithm, "typ": "at+jwt", "kid": "rsa"})
        signed = f"{head}.{encode(yard.forge.claims())}"
        mac = hmac.new(secret(yard.forge), signed.encode(), hashlib.sha256).digest()
        return bearer(f"{signed}.{encode(mac)}")

    return make


def _parts(change: Callable[[Forge, list[str]], list[str]]) -> Callable[[Yard], Sent]:
    """A good token with its parts changed after signing."""
    return lambda yard: bearer(".".join(change(yard.forge, yard.forge.token().split("."))))


def _spare_bits(part: str) -> str:
    """The same bytes in another spelling: the last letter holds bits that nobody reads."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + letters[letters.index(part[-1]) ^ 1]


def _psychic(yard: Yard, signature: bytes) -> Sent:
    whole = yard.forge.token({"alg": "ES256", "kid": "ec"}, yard.forge.ec).split(".")
    return bearer(f"{whole[0]}.{whole[1]}.{encode(signature)}")


def _with_key(name: str) -> Callable[[Yard], Sent]:
    """A token whose header brings or points to the key that it is signed with."""

    def make(yard: Yard) -> Sent:
        key = yard.forge.stranger
        document = {**key.as_dict(private=False), "kid": "mine"}
        value = {"jwk": document, "x5c": [encode(yard.forge.certificate)]}.get(name, "https://evil.test/keys")
        return bearer(yard.forge.token({"kid": "mine", name: value}, key))

    return make


SIGNATURES: dict[str, Callable[[Yard], Sent]] = {
    "alg none": _unsigned("none"),
    "alg None": _unsigned("None"),
    "alg NONE": _unsigned("NONE"),
    "alg nOnE": _unsigned("nOnE"),
    "alg none with a signature": _unsigned("none", signature=True),
    "alg empty": _unsigned("", signature=True),
    "HMAC with the public key as PEM": _by_hmac(lambda forge: forge.rsa.as_pem(private=False)),
    "HMAC with the public key as DER": _by_hmac(lambda forge: forge.rsa.as_der(private=False)),
    "HMAC with the public key as JWK": _by_hmac(
        lambda forge: json.dumps(forge.rsa.as_dict(private=False)).encode()
    ),
    "HMAC with nothing": _by_hmac(lambda _: b""),
    "HMAC that says RS256": _by_hmac(lambda forge: forge.rsa.as_pem(private=False), "RS256"),
    "a signature of zeros": lambda yard: _psychic(yard, bytes(64)),
    "a signature of the curve's order": lambda yard: _psychic(
        yard, bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2
    ),
    "a signature as DER": lambda yard: _psychic(yard, b"0\x06\x02\x01\x01\x02\x01\x01"),
    "ES256 on a P-384 key": lambda yard: bearer(
        yard.forge.token({"alg": "ES256", "kid": "ec384"}, yard.forge.ec)
    ),
    "ES384 on a P-256 key": lambda yard: bearer(
        yard.forge.token({"alg": "ES384", "kid": "ec"}, yard.forge.ec384)
    ),
    "an RSA key that is too small": lambda yard: bearer(
        yard.forge.token({"alg": "RS256", "kid": "small"}, yard.forge.small)
    ),
    "a stranger's key under a known kid": lambda yard: bearer(yard.forge.token(None, yard.forge.stranger)),
    "another issuer's key": lambda yard: bearer(yard.forge.token({"kid": "other-1"}, yard.forge.other)),
    "another issuer's key under our kid": lambda yard: bearer(yard.forge.token(None, yard.forge.other)),
    "our key for another issuer": lambda yard: bearer(yard.forge.token(iss=OTHER)),
    "jku": _with_key("jku"),
    "x5u": _with_key("x5u"),
    "x5c": _with_key("x5c"),
    "jwk": _with_key("jwk"),
    "no signature": _parts(lambda _, parts: [*parts[:2], ""]),
    "half a signature": _parts(lambda _, parts: [*parts[:2], parts[2][: len(parts[2]) // 2]]),
    "another token's signature": _parts(lambda forge, parts: [*parts[:2], forge.token().split(".")[2]]),
    "a payload changed after signing": _parts(
        lambda forge, parts: [parts[0], encode(forge.claims(scope="*.*.*")), parts[2]]
    ),
    "a header changed after signing": _parts(
        lambda _, parts: [encode({"typ": "at+jwt", "alg": "RS256", "kid": "rsa"}), *parts[1:]]
    ),
    "a header member named twice": lambda yard: bearer(
        yard.forge.seal(
            encode(b'{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"rsa"}'),
            encode(yard.forge.claims()),
            yard.forge.rsa,
        )
    ),
    "spare bits in the signature": _parts(lambda _, parts: [*parts[:2], _spare_bits(parts[2])]),
    "padding behind the signature": _parts(lambda _, parts: [*parts[:2], parts[2] + "=="]),
    "standard base64": _parts(lambda _, parts: [*parts[:2], parts[2][:-2] + "+/"]),
    "two parts": _parts(lambda _, parts: parts[:2]),
    "four parts": _parts(lambda _, parts: [*parts, "x"]),
    "five parts, as a JWE has them": _parts(
        lambda _, parts: [encode({"alg": "RSA-OAEP", "enc": "A256GCM"}), *parts, "x"]
    ),
    "a token in a token": lambda yard: bearer(yard.forge.sign({"cty": "JWT"}, yard.forge.token().encode())),
    "an ID token": lambda yard: bearer(
        yard.forge.token({"typ": "JWT"}, aud="ci", nonce="n", at_hash="h", scope=...)
    ),
    "very long": lambda yard: bearer(yard.forge.token(x="x" * 9000)),
    "no JWT at all": lambda _: bearer("c29tZXRoaW5nIGVsc2U"),
    "dots": lambda _: bearer("..."),
}


def _proved(header: Any = None, key: str = "holder", **claims: Any) -> Callable[[Yard], Sent]:
    def make(yard: Yard) -> Sent:
        token = yard.forge.bound()
        return dpop(token, yard.forge.proof(token, header, getattr(yard.forge, key), **claims))

    return make


def _odd_proof(change: Callable[[Forge, str, str], list[str]]) -> Callable[[Yard], Sent]:
    def make(yard: Yard) -> Sent:
        token = yard.forge.bound()
        return dpop(token, *change(yard.forge, token, yard.forge.proof(token)))

    return make


def _with_jwk(change: Callable[[Forge], dict[str, Any]]) -> Callable[[Yard], Sent]:
    def make(yard: Yard) -> Sent:
        token = yard.forge.bound()
        return dpop(token, yard.forge.proof(token, {"jwk": change(yard.forge)}))

    return make


def _replayed(yard: Yard) -> Sent:
    token = yard.forge.bound()
    return dpop(token, yard.forge.proof(token), twice=True)


PROOFS: dict[str, Callable[[Yard], Sent]] = {
    "no proof": _odd_proof(lambda _, __, ___: []),
    "two proofs": _odd_proof(lambda forge, token, proof: [proof, forge.proof(token)]),
    "a proof used before": _replayed,
    "a proof for another method": _proved(htm="POST"),
    "a proof for a method in another case": _proved(htm="get"),
    "a proof for another host": _proved(htu="http://evil.test" + ORDERS),
    "a proof for another path": _proved(htu=URL + ORDERS + "/poke"),
    "a proof for another scheme": _proved(htu="https://gateway.test" + ORDERS),
    "a proof for another port": _proved(htu="http://gateway.test:81" + ORDERS),
    "a proof for a user at our host": _proved(htu="http://x@gateway.test" + ORDERS),
    "a proof for no address": _proved(htu=7),
    "a proof without an address": _proved(htu=...),
    "a proof for another token": _proved(ath=encode(hashlib.sha256(b"other").digest())),
    "a proof for no token": _proved(ath=...),
    "an old proof": _proved(iat=int(time.time()) - 4000),
    "a proof of a year of 400 digits": _proved(iat=10**400),
    "a proof of tomorrow": _proved(iat=int(time.time()) + 80_000),
    "a proof of no time": _proved(iat=...),
    "a proof of a time in text": _proved(iat="now"),
    "a proof without an id": _proved(jti=...),
    "a proof with an id without end": _proved(jti="j" * 300),
    "a proof of another kind": _proved({"typ": "JWT"}),
    "a proof that is an access token": _odd_proof(lambda _, token, __: [token]),
    "a proof without its key": _proved({"jwk": ...}),
    "a proof with a kid alone": _proved({"jwk": ..., "kid": "ec"}),
    "a proof with a critical word": _proved({"crit": ["x"], "x": 1}),
    "a proof with alg none": _proved({"alg": "none"}),
    "a proof with alg HS256": _proved({"alg": "HS256"}),
    "a proof with another alg than its key's": _proved({"alg": "RS256"}),
    "a proof with a private key": _with_jwk(lambda forge: forge.holder.as_dict(private=True)),
    "a proof with a symmetric key": _with_jwk(lambda _: {"kty": "oct", "k": encode(b"secret")}),
    "a proof with a symmetric key in disguise": _with_jwk(
        lambda forge: {**forge.holder.as_dict(private=False), "k": encode(b"secret")}
    ),
    "a proof with another's key in its header": _with_jwk(lambda forge: forge.thief.as_dict(private=False)),
    "a proof with an RSA key that is too small": _with_jwk(lambda forge: forge.small.as_dict(private=False)),
    "a proof with a key on no curve": _with_jwk(
        lambda forge: {**forge.holder.as_dict(private=False), "x": encode(bytes(32))}
    ),
    "a proof whose signature is zeros": _odd_proof(
        lambda _, __, proof: [proof.rpartition(".")[0] + "." + encode(bytes(64))]
    ),
    "a proof that is no JWT": _odd_proof(lambda _, __, ___: ["proof"]),
}

CERTIFICATES: dict[str, Callable[[Yard], Sent]] = {
    "a certificate-bound token without the certificate": lambda yard: certified(yard.forge.certified()),
    "a certificate-bound token with another certificate": lambda yard: certified(
        yard.forge.certified(), client_cert(yard.forge.other_certificate)
    ),
    "a certificate told by somebody else than our terminator": lambda yard: certified(
        yard.forge.certified(), client_cert(yard.forge.certificate), terminated=False
    ),
    "a certificate told by somebody who claims to be our terminator": lambda yard: Sent(
        [
            ("Authorization", f"Bearer {yard.forge.certified()}"),
            ("Client-Cert", client_cert(yard.forge.certificate)),
            ("X-Forwarded-For", "127.0.0.2"),
            ("Forwarded", "for=127.0.0.2"),
        ]
    ),
    "two certificates": lambda yard: certified(
        yard.forge.certified(),
        client_cert(yard.forge.certificate),
        client_cert(yard.forge.other_certificate),
    ),
    "a list of certificates": lambda yard: certified(
        yard.forge.certified(),
        f"{client_cert(yard.forge.certificate)}, {client_cert(yard.forge.other_certificate)}",
    ),
    "a certificate without its colons": lambda yard: certified(
        yard.forge.certified(), client_cert(yard.forge.certificate).strip(":")
    ),
    "a certificate in another proxy's header": lambda yard: certified(
        yard.forge.certified(), client_cert(yard.forge.certificate), name="X-Client-Cert"
    ),
    "a certificate that must also be a proof": lambda yard: certified(
        yard.forge.token(client_id="sealed", cnf={"x5t#S256": encode(hashlib.sha256(b"x").digest())})
    ),
}


def _key(name: str, change: Callable[[str], str] = lambda text: text) -> Callable[[Yard], Sent]:
    return lambda yard: bearer(change(yard.keys[name]))


API_KEYS: dict[str, Callable[[Yard], Sent]] = {
    "a key of the other kind": _key("other kind"),
    "a key that has expired": _key("expired"),
    "a key that was revoked": _key("revoked"),
    "a key of a consumer that is not known": _key("stray"),
    "a key of a consumer that must prove itself": _key("sealed"),
    "a key that nobody made": lambda _: bearer(new_key("test")[0]),
    "a key with another last digit": _key("good", lambda text: text[:-1] + ("0" if text[-1] != "0" else "1")),
    "a key cut short": _key("good", lambda text: text[:-1]),
    "a key with more behind it": _key("good", lambda text: text + "0"),
    "a key in capitals": _key("good", lambda text: text[:9] + text[9:].upper()),
    "a key's prefix": _key("good", lambda text: text[:17]),
}

OPAQUE_TOKENS: dict[str, Callable[[Yard], Sent]] = {
    "an opaque token that is not active": lambda _: bearer("opq_unknown"),
    "an opaque token for somebody else": lambda yard: bearer(
        yard.forge.active("aud", aud="https://elsewhere.test")
    ),
    "an opaque token for nobody": lambda yard: bearer(yard.forge.active("none", aud=...)),
    "an opaque token that has expired": lambda yard: bearer(
        yard.forge.active("old", exp=int(time.time()) - 60, iat=int(time.time()) - 90)
    ),
    "an opaque token without end": lambda yard: bearer(yard.forge.active("endless", exp=...)),
    "an opaque token of another issuer": lambda yard: bearer(yard.forge.active("iss", iss=LOGIN)),
    "an opaque token of an unknown consumer": lambda yard: bearer(
        yard.forge.active("nobody", client_id="nobody")
    ),
    "an opaque token of a person whose tokens were revoked": lambda yard: bearer(
        yard.forge.active("leaver", sub="leaver")
    ),
    "an opaque token without a proof": lambda yard: bearer(yard.forge.active("bound", cnf={"x5t#S256": "x"})),
    "an opaque token of no issuer": lambda _: bearer("zzz_unknown"),
}

# What is malformed as a request (RFC 6750 §3.1, invalid_request).
MALFORMED: dict[str, Callable[[Yard], Sent]] = {
    "two Authorization headers": lambda yard: bearer(yard.forge.token(), yard.forge.token()),
    "two tokens in one header": lambda yard: bearer(f"{yard.forge.token()} {yard.forge.token()}"),
    "a list of tokens": lambda yard: bearer(f"{yard.forge.token()},{yard.forge.token()}"),
    "a space in the token": lambda yard: bearer(yard.forge.token().replace(".", ". ")),
    "padding in the token": lambda yard: bearer(yard.forge.token().replace(".", "=.")),
    "a tab before the token": lambda yard: bearer(f"\t{yard.forge.token()}"),
    "a no-break space before the token": lambda yard: bearer(b"\xa0" + yard.forge.token().encode()),
    "a zero-width space in the token": lambda yard: bearer(
        yard.forge.token().encode() + "\N{ZERO WIDTH SPACE}".encode()
    ),
    "full-width letters": lambda _: bearer("ｔｏｋｅｎ".encode()),
    "quotes around the token": lambda yard: bearer(f'"{yard.forge.token()}"'),
    "a JWS in JSON": lambda yard: bearer(json.dumps({"payload": encode(yard.forge.claims())})),
}

# What is no credential of ours at all: a bare challenge.
ABSENT: dict[str, Callable[[Yard], Sent]] = {
    "no credential": lambda _: Sent([]),
    "another scheme": lambda _: Sent([("Authorization", "Basic Y2k6Y2k=")]),
    "a scheme that begins like ours": lambda yard: Sent([("Authorization", f"Bearerx {yard.forge.token()}")]),
    "no scheme": lambda yard: Sent([("Authorization", yard.forge.token())]),
    "a scheme alone": lambda _: Sent([("Authorization", "Bearer")]),
    "a token in the query": lambda yard: Sent([], path=f"{ORDERS}?access_token={yard.forge.token()}"),
    "a token in a cookie": lambda yard: Sent([("Cookie", f"access_token={yard.forge.token()}")]),
    "a key in a header of its own": lambda yard: Sent([("X-API-Key", yard.keys["good"])]),
}

_AS_DPOP = {
    "a consumer that must prove itself",
    "a certificate that must also be a proof",
    "a key of a consumer that must prove itself",
}


def _cases() -> Iterator[Hostile]:
    for name, header in HEADERS.items():
        yield Hostile(name, lambda yard, header=header: bearer(yard.forge.token(header)))
    for name, claims in CLAIMS.items():
        yield Hostile(
            name,
            lambda yard, claims=claims: bearer(yard.forge.token(**claims)),
            scheme="DPoP" if name in _AS_DPOP else "Bearer",
        )
    for name, raw in PAYLOADS.items():
        yield Hostile(name, lambda yard, raw=raw: _from_payload(yard, raw))
    for name, make in {**SIGNATURES, **CERTIFICATES, **API_KEYS, **OPAQUE_TOKENS}.items():
        yield Hostile(name, make, scheme="DPoP" if name in _AS_DPOP else "Bearer")
    for name, make in PROOFS.items():
        yield Hostile(name, make, code="invalid_dpop_proof", scheme="DPoP", error="invalid_dpop_proof")
    yield Hostile("a key-bound token as a bearer's", lambda yard: bearer(yard.forge.bound()), scheme="DPoP")
    yield Hostile("a proof by another key", _proved(key="thief"), scheme="DPoP")
    yield Hostile(
        "a bearer token as a key-bound one",
        lambda yard: dpop(token := yard.forge.token(), yard.forge.proof(token)),
        scheme="DPoP",
    )
    yield Hostile("an API key as a key-bound token", lambda yard: dpop(yard.keys["good"]), scheme="DPoP")
    for name, make in MALFORMED.items():
        yield Hostile(name, make, status=400, code="bad_request", error="invalid_request")
    for name, make in ABSENT.items():
        yield Hostile(name, make, code="unauthenticated", error="")


HOSTILE = tuple(_cases())
