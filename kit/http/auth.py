"""The OAuth 2.0 grants with which one logs in at a vendor: each token is fetched once and shared."""

import asyncio
import functools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import quote

from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from contracts.problems import ContractViolation, Problem, VendorRejected, VendorUnavailable
from kit.http.answer import VendorAnswer
from kit.http.call import retry_after
from kit.http.login import Credentials, PostForm, basic, bearer
from kit.http.transient import is_transient, says_transient
from kit.secrets import Secret

Style = Literal["basic", "body"]

LOGIN_FAILED = "login_failed"
"""In a problem's extra: the login failed, not the call for which it was needed."""

_EARLY = 60.0  # seconds before its end at which a token is renewed


class Grant(ABC):
    """An OAuth 2.0 grant: one token at a time, fetched by one task while the others wait for it.

    A login that the vendor refused is not tried again for `rest` seconds: some lock the account after five.
    What is raised for a failed login has `login_failed` in its extra: it concerns the instance as a whole.
    `place` puts the token into a call, where that is not the bearer header.
    """

    def __init__(
        self,
        token_url: str,
        *,
        rest: float = 10.0,
        lasts: float | None = None,
        place: Callable[[Mapping[str, Any]], Credentials] | None = None,
    ) -> None:
        self.token_url = token_url
        self._place = place or _in_header
        self._rest = rest
        self._lasts = lasts
        self._one = asyncio.Lock()
        self._token: dict[str, Any] | None = None
        self._login = Credentials()
        self._until = 0.0
        self._refused: tuple[float, Problem] | None = None
        self._instance = ""
        self._post: PostForm | None = None

    def attach(self, instance: str, post: PostForm) -> None:
        self._instance, self._post = instance, post

    async def token(self) -> dict[str, Any]:
        """The whole token answer: some vendors name in it the address to call."""
        if self._token is None or time.monotonic() >= self._until:
            async with self._one:
                if self._token is None or time.monotonic() >= self._until:
                    await self._fetch(None)
        return self._token or {}

    async def login(self) -> Credentials:
        await self.token()
        return self._login

    async def renew(self, used: Credentials) -> bool:
        async with self._one:
            if self._token is None or self._login == used:
                refused, self._token = self._token, None
                await self._fetch(refused)
        return True

    @abstractmethod
    def form(self) -> dict[str, str]:
        """The token request's form."""

    def form_headers(self) -> dict[str, str]:
        return {}

    async def close(self) -> None:
        """Nothing is under way that may be lost."""
        return

    async def _fetch(self, refused: Mapping[str, Any] | None) -> None:
        """Get a token; `refused` is one that the vendor no longer accepts."""
        del refused
        asked_at = time.monotonic()
        token = await self._ask(self.form(), self.form_headers())
        self._use(token, asked_at + lifetime(token.get("expires_in"), self._lasts))

    def _use(self, token: dict[str, Any], until: float) -> None:
        self._refused = None
        self._token, self._login, self._until = token, self._place(token), until

    async def _ask(self, form: dict[str, str], headers: Mapping[str, str]) -> dict[str, Any]:
        """What the token endpoint grants; raises VendorRejected when it refuses."""
        if self._refused and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        if self._post is None:
            raise RuntimeError("a grant is attached to an outbound client before it is used")
        answer = await self._post(self.token_url, form, headers)
        document = answer.try_json(dict[str, Any])
        if answer.status >= 400 or "error" in (document or {}):  # noqa: PLR2004
            raise self._refusal(answer, document or {})
        if document is None:  # a page of something before the vendor: it is under maintenance
            raise self._unavailable(answer)
        if not isinstance(document.get("access_token"), str):
            raise ContractViolation(
                f"{self._instance} granted no token",
                instance=self._instance,
                vendor_request_id=answer.request_id,
            )
        return document

    def _refusal(self, answer: VendorAnswer, document: Mapping[str, Any]) -> Problem:
        """Vendors give `invalid_grant` for a limit of logins, too: only their words distinguish it."""
        error = str(document.get("error", ""))
        words = f"{error} {document.get('error_description', '')}" if document else answer.beginning
        if is_transient(answer.status) or says_transient(words):
            return self._unavailable(answer)
        # RFC 6749 §5.2 has a closed list of codes; anything else might be personal data.
        code = error if error.replace("_", "").isalpha() else "no reason given"
        problem = VendorRejected(
            f"{self._instance} refused our login: {code}",
            instance=self._instance,
            vendor_request_id=answer.request_id,
            extra={LOGIN_FAILED: True},
        )
        self._rest_with(problem)
        return problem

    def _unavailable(self, answer: VendorAnswer) -> VendorUnavailable:
        """The problem of an answer that another login may not meet; so far none was granted."""
        refused = answer.status < 500 and answer.status >= 400  # noqa: PLR2004
        problem = VendorUnavailable(
            f"{self._instance} grants no token at the moment",
            instance=self._instance,
            vendor_request_id=answer.request_id,
            nothing_done=refused,
            retry_after=retry_after(answer.headers) or (self._rest if refused else None),
            extra={LOGIN_FAILED: True},
        )
        if refused:
            self._rest_with(problem)
        return problem

    def _rest_with(self, problem: Problem) -> None:
        """Answer so, and do not ask the vendor, until it is time to try again."""
        self._refused = (time.monotonic() + self._rest, problem)


def _in_header(token: Mapping[str, Any]) -> Credentials:
    return Credentials(headers=bearer(str(token["access_token"])))


def lifetime(expires_in: Any, lasts: float | None) -> float:
    """Seconds for which to use a token; a vendor that states none answers 401 when it has expired."""
    try:
        seconds = float(expires_in)
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not seconds >= 0:
        return lasts if lasts is not None else math.inf
    return max(seconds - _EARLY, seconds / 2)


class TokenClient:
    """Who we are to a token endpoint: id and secret in the Authorization header or in the body."""

    def __init__(self, client_id: str, secret: Secret | None, style: Style) -> None:
        self._id, self._secret, self._style = client_id, secret, style

    def form(self) -> dict[str, str]:
        if self._secret is None:
            return {"client_id": self._id}
        return (
            {"client_id": self._id, "client_secret": self._secret.reveal()} if self._style == "body" else {}
        )

    def headers(self) -> dict[str, str]:
        if self._secret is None or self._style == "body":
            return {}
        # RFC 6749 §2.3.1: both halves are form-encoded before they are joined.
        return {"Authorization": basic(quote(self._id, safe=""), quote(self._secret.reveal(), safe=""))}


class ClientCredentials(Grant):
    """RFC 6749 §4.4 with a shared secret, in the Authorization header or in the body."""

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: Secret,
        *,
        style: Style = "basic",
        form: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(token_url, **more)
        self._client = TokenClient(client_id, client_secret, style)
        self._more = dict(form or {})

    def form(self) -> dict[str, str]:
        return {"grant_type": "client_credentials", **self._more, **self._client.form()}

    def form_headers(self) -> dict[str, str]:
        return self._client.headers()


class JwtBearer(Grant):
    """RFC 7523 §2.1: a signed assertion is the grant."""

    def __init__(
        self,
        token_url: str,
        *,
        issuer: str,
        subject: str,
        audience: str,
        key: Secret,
        alg: str = "RS256",
        **more: Any,
    ) -> None:
        super().__init__(token_url, **more)
        self._claims = {"issuer": issuer, "subject": subject, "audience": audience}
        self._key, self._alg = key, alg

    def form(self) -> dict[str, str]:
        assertion = _sign(self._key, self._alg, expires_in=180, **self._claims)
        return {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}


class ClientAssertion(Grant):
    """RFC 7523 §2.2: client credentials, with a signed assertion in place of the secret."""

    def __init__(
        self,
        token_url: str,
        *,
        client_id: str,
        key: Secret,
        alg: Literal["PS256", "ES256"],
        kid: str,
        scope: tuple[str, ...] = (),
        audience: str = "",
        subject: str = "",
        **more: Any,
    ) -> None:
        super().__init__(token_url, **more)
        self._client_id, self._subject, self._audience = client_id, subject, audience or token_url
        self._key, self._alg, self._kid, self._scope = key, alg, kid, scope

    def form(self) -> dict[str, str]:
        assertion = _sign(
            self._key,
            self._alg,
            kid=self._kid,
            issuer=self._client_id,
            subject=self._subject or None,
            audience=self._audience,
            expires_in=300,
            claims={"scope": list(self._scope)} if self._scope else None,
        )
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }


def _sign(key: Secret, alg: str, *, kid: str = "", **claims: Any) -> str:
    header = {"typ": "JWT", "alg": alg, **({"kid": kid} if kid else {})}
    try:
        return str(sign_jwt_bearer_assertion(_signer(key.reveal(), alg), header=header, **claims))
    except (ValueError, TypeError, JoseError):
        # The library's own sentence might quote the key.
        raise VendorRejected(f"the private key of {claims['issuer']} cannot sign {alg}") from None


@functools.lru_cache(maxsize=16)
def _signer(pem: str, alg: str) -> ECKey | RSAKey:
    """The key, once per process: the numbers of an RSA key are checked, which takes a while."""
    return (ECKey if alg.startswith("ES") else RSAKey).import_key(pem)
