"""deploy: the firm's policy: who may call, on which terms, and what nobody may do together."""

from pathlib import Path

from contracts.duties import Duties
from deploy.interfaces import interfaces
from deploy.lifecycle import standings
from gateway.duties import refuse_conflicts
from gateway.pipeline import refuse_unfit
from gateway.plans import read
from gateway.rulebook import DUTIES, Rulebook, placed, read_rulebook
from kit.settings import SettingsError


def read_duties(folder: Path) -> Duties:
    """The firm's duties; raises SettingsError with every fault."""
    return read(folder / DUTIES, Duties)


def misfits(rulebook: Rulebook) -> list[str]:
    """What does not fit in a policy that is written well, each with its file and line."""
    try:
        refuse_unfit(rulebook.settings, rulebook.consumers, standings())
        if rulebook.duties is not None:
            refuse_conflicts(rulebook.duties, rulebook.consumers, interfaces())
    except SettingsError as error:
        return placed(rulebook, error).faults
    return []


def read_policy(folder: Path) -> Rulebook:
    """The gateway's policy, fit to be in force; raises SettingsError with every fault, its file and line."""
    rulebook = read_rulebook(folder)
    if faults := misfits(rulebook):
        raise SettingsError(faults)
    return rulebook
