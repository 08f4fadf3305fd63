"""deploy: who may do what in this firm: its consumers and its duties, read together and refused together."""

from pathlib import Path

from contracts.duties import Duties
from deploy.interfaces import interfaces
from gateway.duties import Matrix
from gateway.plans import Consumer, read, read_consumers
from kit import clock
from kit.operations import bind
from kit.settings import SettingsError

CONSUMERS, DUTIES = "consumers.toml", "duties.toml"


def read_duties(folder: Path) -> Duties:
    """The firm's duties; raises SettingsError with every fault."""
    return read(folder / DUTIES, Duties)


def matrix(duties: Duties) -> Matrix:
    """The duties over all operations of the house, as of today."""
    operations = [bound for interface in interfaces() for bound in bind(interface)]
    return Matrix(duties, operations, clock.now().date())


def access_faults(folder: Path, consumers: dict[str, Consumer], duties: Duties) -> list[str]:
    """What is wrong with consumers and duties taken together, a sentence each that names the file."""
    judge = matrix(duties)
    refusals = [fault for name, consumer in consumers.items() for fault in judge.refusals(name, consumer)]
    return [
        *(f"{folder / DUTIES}: {fault}" for fault in judge.strangers(consumers)),
        *(f"{folder / CONSUMERS}: {fault}" for fault in refusals),
    ]


def read_access(folder: Path) -> dict[str, Consumer]:
    """The consumers, none of which holds what must be kept apart; raises SettingsError with every fault."""
    consumers = read_consumers(folder / CONSUMERS)
    if faults := access_faults(folder, consumers, read_duties(folder)):
        raise SettingsError(faults)
    return consumers
