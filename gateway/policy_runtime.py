"""The policy runtime: compiles a policy bundle to pipelines, activates it, and explains it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.admin.policy import Explanation
from gateway.duties import Matrix, matrix_of, refuse_conflicts
from gateway.exchange import PipelineStep, Policy, Route
from gateway.identity import CredentialStatus, DevelopmentIssuer, Fetch, Memory, Post, Proofs
from gateway.inventory import ApiInventory
from gateway.lifecycle import warn_of_dates
from gateway.pages.mounting import PageDependencies, Pages
from gateway.pipeline import (
    AfterRoute,
    GatewaySettings,
    PolicyDependencies,
    after_route,
    before_route,
    build,
    in_order,
    inside,
    succeed,
)
from gateway.plans import Consumer
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import AccountPolicy
from gateway.policies.identity import credential_verifiers
from gateway.policies.rate_limit import Allowances
from gateway.policies.route import RouteTable
from gateway.policy_bundle import PolicyBundle
from gateway.policy_bundle.explain import PolicyQuestion, explain
from gateway.policy_bundle.reloader import Participant, PolicyReloader
from gateway.streams import OpenStreams
from kit.database import Database

OpenRoutes = Callable[[GatewaySettings, Proofs], list[Route]]
"""The routes that require no token, for some settings."""


@dataclass(frozen=True, slots=True)
class CredentialSources:
    """The sources of credential verification: the embedded issuer, and HTTP clients for other issuers."""

    issuer: DevelopmentIssuer | None = None
    fetch: Fetch | None = None
    post: Post | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lasting:
    """The state that every change of policy preserves: consumers, revocations, allowances, audit records."""

    public_url: str
    resource_metadata: str
    credentials: CredentialSources
    account: AccountPolicy
    directory: ConsumerDirectory
    allowances: Allowances
    proofs_used: Memory
    credential_status: CredentialStatus | None
    database: Database | None
    open_routes: OpenRoutes
    streams: OpenStreams
    pages: PageDependencies


@dataclass(frozen=True, slots=True)
class Reloading:
    """The folder that is watched for a changed policy, the poll interval, and the other participants."""

    folder: Path | None = None
    look_seconds: float = 1.0
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A compiled policy bundle: the pipelines of the public and the internal listener."""

    duties: Matrix
    after: AfterRoute
    policies: Mapping[str, Policy | RouteTable]
    table: RouteTable
    public: PipelineStep
    internal_policies: Mapping[str, Policy | RouteTable]
    internal_table: RouteTable
    internal: PipelineStep


class PolicyRuntime:
    """Holds the current version for new requests; a request finishes under the version it started with."""

    version: Version
    reloader: PolicyReloader

    def __init__(self, inventory: ApiInventory, lasting: Lasting) -> None:
        self._inventory = inventory
        self._lasting = lasting

    def load(self, bundle: PolicyBundle, reloading: Reloading) -> None:
        """Activate the first policy, once; raises SettingsError when it does not fit the deployment."""
        self.version = self._compile(bundle)
        self._watch_credential_status()
        self._update_issuer(bundle)
        self.reloader = PolicyReloader(
            bundle,
            (self._prepare, *reloading.participants),
            folder=reloading.folder,
            look_seconds=reloading.look_seconds,
        )

    @property
    def bundle(self) -> PolicyBundle:
        """The policy bundle for new requests."""
        return self.reloader.bundle

    @property
    def settings(self) -> GatewaySettings:
        """The settings of the current bundle."""
        return self.bundle.settings

    def refusals(self, name: str, consumer: Consumer) -> list[str]:
        """Why the current duties refuse a consumer, a sentence each; empty when they do not."""
        return self.version.duties.refusals(name, consumer)

    async def explain(self, method: str, path: str, consumer: str, person: str = "") -> Explanation:
        """Which rules would apply to a request of a consumer, on the listener that serves the path."""
        version = self.version
        return await explain(
            self.bundle,
            self._lasting.directory.consumers(self.bundle.consumers),
            version.internal_policies if path.startswith("/admin/") else version.policies,
            PolicyQuestion(method, path, consumer, person),
        )

    def restart_required(self) -> list[str]:
        """The changes in the policy files that take effect only after a restart."""
        settings, status = self.settings, self._lasting.credential_status
        changes = [] if settings.account == self._lasting.account.settings else ["gateway.toml: account"]
        refresh = settings.identity.refresh_seconds, settings.identity.stale_seconds
        if status is not None and status.seconds != refresh:
            changes.append("gateway.toml: identity.refresh_seconds, identity.stale_seconds")
        return changes + self.reloader.waiting()

    async def start(self) -> None:
        """Watch the policy files from now on."""
        warn_of_dates(self._inventory.lifecycles, self.bundle.consumers)
        await self.reloader.start()

    def _prepare(self, bundle: PolicyBundle) -> Callable[[], None]:
        """The gateway as a participant in a change of policy."""
        version = self._compile(bundle)

        def activate() -> None:
            succeed(self.version.after, version.after)
            self.version = version
            self._watch_credential_status()
            self._update_issuer(bundle)
            warn_of_dates(self._inventory.lifecycles, bundle.consumers)

        return activate

    def _compile(self, bundle: PolicyBundle) -> Version:
        settings, inventory, lasting = bundle.settings, self._inventory, self._lasting
        matrix = matrix_of(bundle.duties, inventory.interfaces)
        refuse_conflicts(matrix, bundle.consumers)
        pages = Pages(settings.pages, bundle.folder, bundle.consumers, lasting.pages)
        dependencies = self._dependencies(bundle, matrix, pages)
        before = before_route(settings, lasting.account, inventory.lifecycles)
        after = after_route(settings, dependencies)
        open_routes = lasting.open_routes(settings, dependencies.verifiers.proofs)
        open_routes += pages.routes(after.identity.caller_of)
        table = RouteTable(inventory.public, open_routes, inventory.retired(), pages.prefixes)
        inner_before, inner_after = inside(settings, before, after, inventory.lifecycles)
        inner = RouteTable(inventory.own)
        return Version(
            duties=matrix,
            after=after,
            policies=in_order(before, table, after),
            table=table,
            public=build(before, table, after),
            internal_policies=in_order(inner_before, inner, inner_after),
            internal_table=inner,
            internal=build(inner_before, inner, inner_after),
        )

    def _dependencies(self, bundle: PolicyBundle, matrix: Matrix, pages: Pages) -> PolicyDependencies:
        lasting, sources = self._lasting, self._lasting.credentials
        return PolicyDependencies(
            consumers=lasting.directory.consumers(bundle.consumers),
            directory=lasting.directory,
            allowances=lasting.allowances,
            scopes=self._inventory.scopes,
            verifiers=credential_verifiers(
                bundle.settings.identity,
                public_url=lasting.public_url,
                embedded=sources.issuer,
                fetch=sources.fetch,
                post=sources.post,
                environ=sources.environ,
                credential_status=lasting.credential_status,
                memory=lasting.proofs_used,
            ),
            resource_metadata=lasting.resource_metadata,
            database=lasting.database,
            lifecycles=self._inventory.lifecycles,
            authorize=pages.authorize,
            streams=lasting.streams,
            judge=matrix.refusals,
        )

    def _watch_credential_status(self) -> None:
        """Let the current identity policy evict credentials when the credential status changes."""
        if self._lasting.credential_status is not None:
            self._lasting.credential_status.watch(self.version.after.identity.evict_revoked)

    def _update_issuer(self, bundle: PolicyBundle) -> None:
        """Set the consumers to which the embedded issuer may issue tokens."""
        issuer = self._lasting.credentials.issuer
        if issuer is not None:
            issuer.consumers = self._lasting.directory.consumers(bundle.consumers)
