"""system_apis: a client, which the vendor calls a workspace group, in both directions. Pure."""

from typing import Any

import msgspec

from contracts.canonical.project import Client as CanonicalClient
from contracts.canonical.project import ClientDraft
from contracts.canonical.values import Ref
from contracts.problems import ContractViolation
from system_apis.vendors.kantata.mapping import facts, values
from system_apis.vendors.kantata.records import Catalogue, ClientGroup
from system_apis.vendors.kantata.settings.maps import Maps


def create_body(draft: ClientDraft, key: str, maps: Maps, catalogue: Catalogue) -> dict[str, Any]:
    """The group to create, with the marks by which it is looked up."""
    body: dict[str, Any] = {"name": draft.name, "company": True}
    body.update({name: text for name in ("email", "website", "notes") if (text := getattr(draft, name))})
    names = maps.fields.client
    wanted = {**maps.required_custom.client, names.key: key}
    wanted.update(facts.named_custom(draft.custom, names.custom, maps.instance))
    custom = facts.wire_custom(facts.GROUP, wanted, maps.instance, catalogue)
    body["custom_fields"] = [{"custom_field_id": id_, "value": value} for id_, value in custom]
    body["external_reference"] = facts.reference(key, "client", maps)
    return body


def to_client(client: ClientGroup, maps: Maps, catalogue: Catalogue) -> CanonicalClient:
    group = client.group
    stamps = [group.updated_at, *(each.updated_at for each in (*client.custom, *client.references))]
    # Not every account shows when a group changed; then its newest mark gives when it was created.
    updated_at = max((stamp for stamp in stamps if stamp is not None), default=None)
    if updated_at is None:
        raise ContractViolation(
            f"{maps.instance} shows no instant with the workspace group {group.id}", instance=maps.instance
        )
    noun = CanonicalClient(
        id=group.id,
        version="",
        updated_at=values.utc(updated_at),
        name=group.name,
        key=facts.key_of(client, facts.GROUP, maps.fields.client.key, maps, catalogue),
        refs=(Ref(maps.instance, "client", group.id),),
    )
    return msgspec.structs.replace(noun, version=values.version(updated_at, noun))
