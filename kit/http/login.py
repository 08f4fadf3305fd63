"""What logs a call in at a vendor: headers, parameters of the query, or a place in the body."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from kit.http.answer import VendorAnswer
from kit.secrets import Secret

# What a grant needs of the outbound client: url, form and headers to an answer, whatever its status.
PostForm = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[VendorAnswer]]
WriteBody = Callable[[bytes], bytes]


class Credentials(msgspec.Struct, frozen=True):
    """What is added to one call; `body` returns the body with the credentials in it."""

    headers: Mapping[str, str] = {}
    params: Mapping[str, str] = {}
    body: WriteBody | None = None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Auth(Protocol):
    """Logs calls in; `renew` when the vendor did not accept the login that was used."""

    def attach(self, instance: str, post: PostForm) -> None: ...

    async def login(self) -> Credentials: ...

    async def renew(self, used: Credentials) -> bool:
        """Get a new login unless a concurrent call just did; False when there is nothing to renew."""
        ...

    async def close(self) -> None:
        """End what is under way in an order in which nothing is lost."""
        ...


class Fixed:
    """A login that never changes."""

    def __init__(self, login: Callable[[], Credentials]) -> None:
        self._login = login

    def attach(self, instance: str, post: PostForm) -> None: ...

    async def login(self) -> Credentials:
        return self._login()

    async def renew(self, used: Credentials) -> bool:
        del used
        return False

    async def close(self) -> None: ...


class NoAuth(Fixed):
    """For what is open to all."""

    def __init__(self) -> None:
        super().__init__(Credentials)


class Bearer(Fixed):
    """A token that was created in the vendor's user interface."""

    def __init__(self, token: Secret) -> None:
        super().__init__(lambda: Credentials(headers=bearer(token.reveal())))


class Basic(Fixed):
    """User name and password (RFC 7617); some vendors take an API key in one of the two places."""

    def __init__(self, user: str | Secret, password: str | Secret) -> None:
        super().__init__(
            lambda: Credentials(headers={"Authorization": basic(_reveal(user), _reveal(password))})
        )


class ApiKeyLogin(Fixed):
    """A key in a header or in the query, after a prefix where the vendor wants one."""

    def __init__(self, key: Secret, *, header: str = "", query: str = "", prefix: str = "") -> None:
        if bool(header) == bool(query):
            raise ValueError("an API key goes into one header or into one parameter of the query")
        super().__init__(
            lambda: (
                Credentials(headers={header: prefix + key.reveal()})
                if header
                else Credentials(params={query: prefix + key.reveal()})
            )
        )


class InBody(Fixed):
    """Credentials that the vendor wants within the body: `write` returns the body with them."""

    def __init__(self, write: WriteBody) -> None:
        super().__init__(lambda: Credentials(body=write))


def bearer(token: str) -> dict[str, str]:
    """The header of a bearer token (RFC 6750)."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> str:
    """The value of a Basic Authorization header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def _reveal(text: str | Secret) -> str:
    return text.reveal() if isinstance(text, Secret) else text
