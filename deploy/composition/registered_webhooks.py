"""deploy: shows the webhooks that are registered at vendors, switches them off, and on again."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import msgspec

from contracts.problems import Problem
from deploy.composition.assemble import make_connector_context, open_stores
from deploy.settings import ServerSettings
from kit.secrets import SecretError
from kit.settings import SettingsError
from system_apis import intake
from system_apis.connector.stored_webhooks import StoredWebhook, WebhookStore
from system_apis.webhook_registrar import WebhookRegistrar

Action = Literal["show", "remove", "register"]


async def act(
    settings: ServerSettings, environ: Mapping[str, str], instance: str, action: Action
) -> list[StoredWebhook]:
    """Every registration of an instance (empty: of all) after the action; raises SettingsError."""
    async with _registrar(settings, environ) as (registrar, store):
        for stored in await store.all() if action != "show" else []:
            if stored.instance == instance:
                await _act_on(registrar, stored, action)
        return [stored for stored in await store.all() if instance in ("", stored.instance)]


async def _act_on(registrar: WebhookRegistrar, stored: StoredWebhook, action: Action) -> None:
    try:
        if action == "remove":
            await registrar.switch_off(stored)
        elif stored.status == "off":
            await registrar.switch_on(stored)
    except Problem as problem:
        raise SettingsError([f"{stored.instance}: {problem.detail}"]) from None
    except (SecretError, msgspec.ValidationError) as error:
        raise SettingsError([f"{stored.instance} cannot be opened: {error}"]) from None


@asynccontextmanager
async def _registrar(
    settings: ServerSettings, environ: Mapping[str, str]
) -> AsyncIterator[tuple[WebhookRegistrar, WebhookStore]]:
    async with open_stores(settings, environ) as stores:
        context = make_connector_context(settings, environ, stores)
        registrar = intake.registrar({}, stores.secrets, settings.public_url, context)
        yield registrar, WebhookStore(stores.secrets)
