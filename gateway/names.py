"""Names: finds unknown names in the policy files, so that no rule is silently without effect."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.duties import operation_name
from gateway.plans import Consumer, grants
from gateway.policy_bundle import PolicyBundle
from kit.operations import bind

Places = Iterator[tuple[str, str]]
"""Places in the policy files, each with its fault."""


@dataclass(frozen=True, slots=True)
class KnownNames:
    """What policy files may name: declarations of the interfaces, legal entities and instances.

    Legal entities and instances are None where they are unknown; then they are not checked.
    """

    apis: frozenset[str]
    operations: frozenset[str]
    scopes: frozenset[str]
    roles: frozenset[str]
    entities: frozenset[str] | None = None
    instances: frozenset[str] | None = None

    def matches(self, pattern: str) -> bool:
        """Whether a grant, of which any part may be ``*``, covers a scope of any operation."""
        return any(grants((pattern,), scope) for scope in self.scopes)

    def has_api(self, name: str) -> bool:
        """Whether there is an API of the name; ``process/*`` and ``*`` are any of the tier, and any."""
        return name in self.apis or (
            name.endswith("*") and any(api.startswith(name[:-1]) for api in self.apis)
        )


def known_names(
    interfaces: Iterable[type],
    retired: Iterable[str] = (),
    *,
    entities: Collection[str] | None = None,
    instances: Collection[str] | None = None,
) -> KnownNames:
    """The names of some interfaces; `retired` are retired versions, which a waiver may still name."""
    bounds = [bound for interface in interfaces for bound in bind(interface)]
    return KnownNames(
        apis=frozenset({*(bound.api.slug for bound in bounds), *retired}),
        operations=frozenset(operation_name(bound) for bound in bounds),
        scopes=frozenset(bound.scope for bound in bounds),
        roles=frozenset(role for bound in bounds for role in bound.operation.roles),
        entities=None if entities is None else frozenset(entities),
        instances=None if instances is None else frozenset(instances),
    )


def unknown_names(bundle: PolicyBundle, known: KnownNames) -> list[str]:
    """A sentence for every unknown name in a policy, each after its place."""
    places = (*_of_settings(bundle, known), *_of_consumers(bundle, known), *_of_duties(bundle, known))
    return [f"{place}: {what}" for place, what in places]


def roles_that_bind(bundle: PolicyBundle, known: KnownNames) -> frozenset[str]:
    """The roles that have an effect: an operation or a duty names them."""
    return known.roles.union(*(duty.roles for duty in bundle.duties.duties.values()))


def unknown_roles(place: str, roles: Iterable[str], known: Collection[str]) -> Places:
    """The roles among some that are not known."""
    for index, role in enumerate(roles):
        if role not in known:
            yield f"{place}[{index}]", f"no operation and no duty asks for the role {role}"


def unknown_claims(place: str, claims: Mapping[str, str | tuple[str, ...]], known: KnownNames) -> Places:
    """The unknown legal entities and instances in claims."""
    for claim, what, names in (
        ("entities", "legal entity", known.entities),
        ("instance", "instance", known.instances),
    ):
        named = claims.get(claim, ())
        for name in (named,) if isinstance(named, str) else named:
            if names is not None and name not in names:
                yield f"{place}.{claim}", f"there is no {what} {name}"


def unknown_grants(consumer: Consumer, known: KnownNames, roles: Collection[str]) -> Places:
    """The grants of a consumer that have no effect."""
    yield from _unknown_scopes("scopes", consumer.scopes, known)
    yield from unknown_roles("roles", consumer.roles, roles)
    yield from unknown_claims("claims", consumer.claims, known)


def _of_settings(bundle: PolicyBundle, known: KnownNames) -> Places:
    for name, plan in bundle.settings.plans.items():
        yield from unknown_claims(f"plans.{name}", {"entities": plan.entities or ()}, known)
    for route in bundle.settings.contract.answers.routes:
        if route not in known.apis | known.operations:
            yield f"contract.answers.routes.{route}", f"there is no API and no operation {route}"
    binding = roles_that_bind(bundle, known)
    for index, issuer in enumerate(bundle.settings.identity.issuers):
        for group, roles in issuer.roles.items():
            yield from unknown_roles(f"identity.issuers[{index}].roles.{group}", roles, binding)


def _of_consumers(bundle: PolicyBundle, known: KnownNames) -> Places:
    binding = roles_that_bind(bundle, known)
    for name, consumer in bundle.consumers.items():
        place = f"consumers.{name}"
        yield from ((f"{place}.{where}", what) for where, what in unknown_grants(consumer, known, binding))
        yield from unknown_claims(place, {"entities": consumer.entities or ()}, known)
        for api in consumer.subscriptions:
            if not known.has_api(api):
                yield f"{place}.subscriptions.{api}", f"there is no API {api}"


def _unknown_scopes(place: str, scopes: Iterable[str], known: KnownNames) -> Places:
    for index, scope in enumerate(scopes):
        if not known.matches(scope):
            yield f"{place}[{index}]", f"no operation asks for {scope}"


def _of_duties(bundle: PolicyBundle, known: KnownNames) -> Places:
    duties = bundle.duties
    granted = known.roles.union(*(consumer.roles for consumer in bundle.consumers.values()))
    for name, duty in duties.duties.items():
        place = f"duties.{name}"
        for index, operation in enumerate(duty.operations):
            if operation not in known.operations:
                yield f"{place}.operations[{index}]", f"there is no operation {operation}"
        yield from _unknown_scopes(f"{place}.scopes", duty.scopes, known)
        for index, role in enumerate(duty.roles):
            if role not in granted:
                yield (
                    f"{place}.roles[{index}]",
                    f"no operation asks for the role {role}, and no caller has it",
                )
    yield from _of_pairs(bundle)


def _of_pairs(bundle: PolicyBundle) -> Places:
    duties = bundle.duties
    for kind, entries in (("conflicts", duties.conflicts), ("waivers", duties.waivers)):
        for index, entry in enumerate(entries):
            for number, name in enumerate(entry.duties):
                if name not in duties.duties:
                    yield f"{kind}[{index}].duties[{number}]", f"no duty is named {name}"
    for index, waiver in enumerate(duties.waivers):
        if waiver.holder not in bundle.consumers:
            yield f"waivers[{index}].holder", f"there is no consumer {waiver.holder}"
