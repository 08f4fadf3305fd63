"""NetSuite's token-based authentication: OAuth 1.0a with HMAC-SHA256 and nothing else."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, quote, unquote

from starlette.requests import Request

from sandbox.core import Account, body_of, origin
from sandbox.netsuite import keys

PAIR = re.compile(r'\s*([a-zA-Z_]+)="([^"]*)"\s*')
TOLERANCE_SECONDS = 300
SHORTEST_NONCE = 6
KEPT_NONCES = 20_000


def read(header: str) -> dict[str, str]:
    """The parameters of an `OAuth …` header, decoded."""
    return {name: unquote(value) for name, value in PAIR.findall(header.partition(" ")[2])}


def is_good(account: Account, request: Request, nonces: dict[tuple[str, str, str], float]) -> bool:
    """Whether the request is signed by the account's token; a nonce is good once."""
    sent = read(request.headers.get("authorization", ""))
    known = keys.credentials(account)
    expected = {
        "realm": keys.account_id(account),
        "oauth_consumer_key": known["consumer_key"],
        "oauth_token": known["token_id"],
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_version": "1.0",
    }
    if any(
        sent.get(name, "1.0" if name == "oauth_version" else "") != value for name, value in expected.items()
    ):
        return False
    if not _timely(account, sent) or len(sent.get("oauth_nonce", "")) < SHORTEST_NONCE:
        return False
    if not _body_agrees(sent, body_of(request)) or account.is_dead(sent["oauth_token"]):
        return False
    path = (request.scope.get("raw_path") or request.url.path.encode()).decode("latin-1").partition("?")[0]
    base = base_string(request.method, f"{origin(request)}{path}", request.url.query, sent)
    wanted = sign(base, known["consumer_secret"], known["token_secret"])
    if not hmac.compare_digest(wanted, sent.get("oauth_signature", "")):
        return False
    return _first_use(nonces, account, sent)


def base_string(method: str, url: str, query: str, oauth: dict[str, str]) -> str:
    """What is signed: query and OAuth parameters sorted, without realm and signature."""
    pairs = [(k, v) for k, v in oauth.items() if k not in {"realm", "oauth_signature"}]
    pairs += parse_qsl(query, keep_blank_values=True)
    joined = "&".join(f"{k}={v}" for k, v in sorted(_encoded(pairs)))
    return "&".join((method.upper(), _encode(url), _encode(joined)))


def sign(base: str, consumer_secret: str, token_secret: str) -> str:
    key = f"{_encode(consumer_secret)}&{_encode(token_secret)}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()


def _timely(account: Account, sent: dict[str, str]) -> bool:
    at = sent.get("oauth_timestamp", "")
    return at.isdigit() and abs(account.clock.now().timestamp() - int(at)) <= TOLERANCE_SECONDS


def _body_agrees(sent: dict[str, str], body: bytes) -> bool:
    """Some clients sign a hash of the body; it must then be the body's."""
    said = sent.get("oauth_body_hash")
    return said is None or said == base64.b64encode(hashlib.sha1(body).digest()).decode()  # noqa: S324 - their choice


def _first_use(nonces: dict[tuple[str, str, str], float], account: Account, sent: dict[str, str]) -> bool:
    key = (sent["oauth_token"], sent["oauth_timestamp"], sent["oauth_nonce"])
    now = account.clock.now().timestamp()
    if len(nonces) > KEPT_NONCES:
        for old in [k for k, at in nonces.items() if abs(now - at) > 2 * TOLERANCE_SECONDS]:
            del nonces[old]
    if key in nonces:
        return False
    nonces[key] = now
    return True


def _encoded(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(_encode(k), _encode(v)) for k, v in pairs]


def _encode(text: str) -> str:
    return quote(text, safe="-._~")
