"""Mounting: the bundles of a policy as routes, and their sessions as credentials of API calls."""

from collections.abc import Mapping
from pathlib import Path

from contracts.problems import UnknownRoute
from gateway.exchange import Exchange, PipelineStep, Reply, Route
from gateway.identity import CredentialStatus, DevelopmentIssuer, Fetch, Post
from gateway.pages import API, AUTH, PageSettings, SignInSettings
from gateway.pages.files import Files
from gateway.pages.issuer_client import IssuerClient
from gateway.pages.sessions import Sessions
from gateway.pages.sign_in import Identify, SignIn
from gateway.plans import Consumer
from gateway.public_path import path_of
from kit import privacy
from kit.database import Database
from kit.secrets import Secret, SecretError, resolve
from kit.settings import SettingsError


class PageDependencies:
    """What the bundles of every policy share; `sessions` are those of all of them."""

    def __init__(
        self,
        public_url: str,
        *,
        database: Database | None,
        issuer: DevelopmentIssuer | None,
        fetch: Fetch | None,
        post: Post | None,
        environ: Mapping[str, str],
        credential_status: CredentialStatus | None,
    ) -> None:
        self.credential_status = credential_status
        self.public_url = public_url
        self.database = database
        self.issuer = issuer
        self.fetch = fetch
        self.post = post
        self.environ = environ
        self.sessions = Sessions(database) if database is not None else None
        self._files: dict[Path, Files] = {}

    def files(self, place: str, settings: PageSettings, folder: Path) -> Files:
        """The files of a bundle, read again only when one of them has changed."""
        known = self._files.get(folder)
        if known is None or not known.is_current(settings):
            known = self._files[folder] = Files(place, settings, folder)
        return known


class Pages:
    """The bundles of one policy; raises SettingsError for one that cannot be served."""

    def __init__(
        self,
        settings: Mapping[str, PageSettings],
        folder: Path | None,
        consumers: Mapping[str, Consumer],
        dependencies: PageDependencies,
    ) -> None:
        public = path_of(dependencies.public_url)
        if taken := [
            name for name, page in settings.items() if public and f"{page.path}/".startswith(f"{public}/")
        ]:
            raise SettingsError([f"pages.{name}.path: is that of ENFILADE_PUBLIC_URL" for name in taken])
        self._pages = {
            name: _Page(name, page, (folder or Path()) / page.folder, consumers, dependencies)
            for name, page in settings.items()
        }
        self.prefixes = {page.path + API: name for name, page in settings.items() if page.sign_in is not None}
        """Under which paths APIs are called with the session of which bundle."""

    def routes(self, identify: Identify) -> list[Route]:
        """The routes of all bundles."""
        return [route for page in self._pages.values() for route in page.routes(identify)]

    async def authorize(self, exchange: Exchange) -> None:
        """Make a call under a bundle's prefix its session's; raises Unauthenticated and Forbidden."""
        sign_in = self._pages[exchange.page].sign_in
        if sign_in is None:
            raise UnknownRoute
        await sign_in.authorize(exchange)


class _Page:
    """One bundle."""

    def __init__(
        self,
        name: str,
        settings: PageSettings,
        folder: Path,
        consumers: Mapping[str, Consumer],
        dependencies: PageDependencies,
    ) -> None:
        self._name = name
        self._path = settings.path
        self._files = dependencies.files(f"pages.{name}", settings, folder)
        wanted = settings.sign_in
        self.sign_in = (
            _sign_in(name, settings, wanted, consumers, dependencies) if wanted is not None else None
        )

    def routes(self, identify: Identify) -> list[Route]:
        steps: dict[tuple[str, str], PipelineStep] = {
            ("GET", self._path): self._go_to_start,
            ("GET", f"{self._path}/{{*}}"): self._answer,
        }
        if self.sign_in is not None:
            steps |= self.sign_in.steps(identify)
        return [
            Route(method, path, f"page {self._name} {path}", step, page=True)
            for (method, path), step in steps.items()
        ]

    async def _go_to_start(self, _: Exchange) -> Reply:
        return Reply(308, [(b"location", f"{self._path}/".encode())])

    async def _answer(self, exchange: Exchange) -> Reply:
        accept = exchange.headers.get(b"accept", b"").decode("latin-1")
        path = exchange.path[len(self._path) :]
        if path.startswith((API, AUTH)):
            raise UnknownRoute("There is no such address")
        name = self._files.name_of(path[1:], accept)
        if name == self._files.entry and (address := await self._sign_in_first(exchange)):
            return Reply(303, [(b"location", address.encode()), (b"cache-control", b"no-store")])
        return self._files.answer(name, exchange)

    async def _sign_in_first(self, exchange: Exchange) -> str:
        """Where a person must sign in before seeing the page; empty where none must, or one has."""
        sign_in = self.sign_in
        if sign_in is None or not sign_in.settings.required or await sign_in.has_session(exchange):
            return ""
        return sign_in.sign_in_address(exchange)


def _sign_in(
    name: str,
    settings: PageSettings,
    wanted: SignInSettings,
    consumers: Mapping[str, Consumer],
    dependencies: PageDependencies,
) -> SignIn:
    """The sign-in of a bundle; raises SettingsError when something that it needs is missing."""
    place = f"pages.{name}.sign_in"
    consumer = consumers.get(wanted.client_id)
    if consumer is None:
        raise SettingsError([f"{place}.client_id: there is no consumer {wanted.client_id!r}"])
    sessions, database = dependencies.sessions, dependencies.database
    if sessions is None or database is None or dependencies.fetch is None or dependencies.post is None:
        raise SettingsError([f"{place}: sessions need a database, and a client for calls of the issuer"])
    issuer, secret = _client_of(place, wanted, consumer, dependencies)
    sign_in = SignIn(
        name,
        settings,
        wanted,
        client=IssuerClient(issuer, wanted.client_id, secret, dependencies.fetch, dependencies.post),
        sessions=sessions,
        keys=privacy.keys_of(database),
        credential_status=dependencies.credential_status,
        public_url=dependencies.public_url,
    )
    if not wanted.issuer and sign_in.redirect_uri not in consumer.client.redirect_uris:
        fault = f"consumers.{wanted.client_id}.client.redirect_uris: {sign_in.redirect_uri} is missing"
        raise SettingsError([fault])
    return sign_in


def _client_of(
    place: str, wanted: SignInSettings, consumer: Consumer, dependencies: PageDependencies
) -> tuple[str, Secret | None]:
    """The issuer's name, and the client's secret there, None for a public client."""
    if wanted.issuer:
        if not wanted.client_secret:
            return wanted.issuer, None
        try:
            return wanted.issuer, resolve(wanted.client_secret, dependencies.environ)
        except SecretError as error:
            raise SettingsError([f"{place}.client_secret: {error}"]) from None
    embedded = dependencies.issuer
    if embedded is None:
        raise SettingsError([f"{place}.issuer: name one; this deployment has no embedded issuer"])
    secret = None if consumer.client.public else Secret(embedded.client_secret(wanted.client_id))
    return embedded.issuer, secret
