"""deploy: the lifecycle of each version of each API, from contracts/versions.toml."""

from pathlib import Path

import contracts
from deploy.composition.interfaces import interfaces
from gateway.lifecycle import ActiveConsumers, ApiLifecycle, ApiLifecycles, Slug, faults, refusals
from gateway.plans import read
from gateway.plans.usage import active_consumers
from kit.database import Database
from kit.operations import api_of, bind
from kit.settings import SettingsError

FILE = Path(contracts.__file__).parent / "versions.toml"


def read_lifecycles(file: Path = FILE) -> ApiLifecycles:
    """The versions by their API's name in full; raises SettingsError with every fault."""
    return read(file, dict[Slug, ApiLifecycle])


def called_by(database: Database) -> ActiveConsumers:
    """The consumers that called an API, as counted by the deployment's gateways."""

    async def active(slug: str, days: int) -> set[str]:
        return {use.consumer for use in await active_consumers(database, slug, days)}

    return active


async def lifecycle_faults(file: Path = FILE, active: ActiveConsumers | None = None) -> list[str]:
    """The versions' faults, a sentence each; with `active`, also consumers that a sunset would cut off."""
    try:
        lifecycles = read_lifecycles(file)
    except SettingsError as error:
        return error.faults
    declared = {
        api_of(kind): [bound.operation.deprecation for bound in bind(kind) if bound.operation.deprecation]
        for kind in interfaces()
    }
    late = await refusals(lifecycles, active) if active is not None else []
    return [f"{file.name}: {fault}" for fault in (*faults(lifecycles, declared), *late)]
