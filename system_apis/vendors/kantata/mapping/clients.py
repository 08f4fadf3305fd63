"""system_apis: a client, which the vendor calls a workspace group, in both directions. Pure."""

import re
from typing import Any

from contracts.canonical import matching
from contracts.canonical.project import Client as CanonicalClient
from contracts.canonical.project import ClientDraft
from contracts.canonical.values import Ref
from contracts.problems import ContractViolation
from system_apis.connector.catalogue import FieldCatalogue
from system_apis.connector.psa import client_texts
from system_apis.connector.values import utc, versioned
from system_apis.vendors.kantata.mapping import values
from system_apis.vendors.kantata.mapping.values import GROUP
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import ClientGroup


def create_body(
    draft: ClientDraft,
    key: str,
    reference: dict[str, str],
    profile: KantataProfile,
    catalogue: FieldCatalogue,
) -> dict[str, Any]:
    """The group to create, with the marks by which it is looked up: unique field and reference."""
    texts = client_texts(draft, key, profile)
    given = {name: text for name in ("email", "website", "notes") if (text := getattr(draft, name))}
    custom = catalogue.values_of(GROUP, texts, profile.name)
    return {
        "name": draft.name,
        "company": True,
        **given,
        "custom_fields": values.custom_bodies(custom),
        "external_reference": reference,
    }


def search_texts(name: str, domain: str) -> tuple[str, ...]:
    """What to search for: the longest word of a name, as it is written and without accents, and a domain's.

    The vendor's search looks into names only, and does not document how it compares letters.
    """
    word = max(matching.distinguishing_words(name), key=lambda each: max(map(len, each)), default=())
    written = [each for each in re.findall(r"\w+", name) if matching.spellings(each) & set(word)]
    label = matching.domain(domain).partition(".")[0]
    return tuple(dict.fromkeys(filter(None, (*written, *word, label))))


def to_client(client: ClientGroup, profile: KantataProfile, catalogue: FieldCatalogue) -> CanonicalClient:
    group = client.group
    stamps = [group.updated_at, *(each.updated_at for each in (*client.custom, *client.references))]
    # Not every account shows when a group changed; then its newest mark gives when it was created.
    updated_at = max((stamp for stamp in stamps if stamp is not None), default=None)
    if updated_at is None:
        sentence = f"{profile.name} shows no instant with the workspace group {group.id}"
        raise ContractViolation(sentence, instance=profile.name)
    noun = CanonicalClient(
        id=group.id,
        version="",
        updated_at=utc(updated_at),
        name=group.name,
        email=group.email or "",
        website=group.website or "",
        key=values.key_of(client, GROUP, profile.fields.client.key, profile, catalogue),
        refs=(Ref(profile.name, "client", group.id),),
    )
    return versioned(noun, updated_at)
