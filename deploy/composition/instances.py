"""deploy: checks vendors' accounts with their connectors' own checks."""

from collections.abc import Mapping, Sequence

from contracts.problems import Problem
from contracts.system.instance import Finding, InstanceReport
from deploy.settings import ServerSettings
from system_apis.app import open_instances
from system_apis.connector import Connector, ConnectorContext, Profile


async def check(
    connector: Connector,
    profile: Profile,
    settings: ServerSettings,
    environ: Mapping[str, str],
    faults: Mapping[str, Sequence[str]],
) -> InstanceReport:
    """The report of the connector's own check; an account that cannot be opened or read is a finding, too."""
    connector_context = ConnectorContext(environ=environ, deployment=settings.deployment)
    try:
        async with open_instances([(connector, profile)], connector_context, faults) as opened:
            return await opened[profile.name].opened.check()
    except Problem as problem:
        detail = problem.detail or problem.title
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one account is a finding of that account
        detail = f"the check itself failed ({type(error).__name__})"
    fix = "see that the account answers and that the credentials are its own"
    finding = Finding("login", connector.title, ok=False, detail=detail, fix=fix)
    return InstanceReport(profile.name, connector.name, profile.environment, (finding,))
