"""deploy: checks that the ports are free before anything is started."""

import errno
import socket
from collections.abc import Iterable, Mapping

from deploy.errors import CommandError


def port_fault(host: str, port: int) -> str | None:
    """Why a port cannot be listened on, in a few words; None when it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OverflowError:
            return "is no port"
        except OSError as error:
            return "is in use" if error.errno == errno.EADDRINUSE else f"cannot be had ({error.strerror})"
    return None


def refuse_overlap(wanted: Iterable[tuple[int, str]]) -> None:
    """Raises CommandError that names every port that is wanted twice, with both options."""
    owners: dict[int, list[str]] = {}
    for port, option in wanted:
        owners.setdefault(port, []).append(option)
    faults = [
        f"Port {port} is wanted by {' and '.join(each)}" for port, each in owners.items() if len(each) > 1
    ]
    if faults:
        raise CommandError(f"{', '.join(faults)}: choose another for one of them.")


def refuse_ports_in_use(host: str, wanted: Mapping[int, str]) -> None:
    """Raises CommandError that names every wanted port, with its option, that cannot be listened on."""
    faults = [
        f"port {port} {fault} ({option})"
        for port, option in wanted.items()
        if (fault := port_fault(host, port))
    ]
    if faults:
        joined = ", ".join(faults)
        raise CommandError(f"{joined[0].upper()}{joined[1:]}: stop what listens there, or choose another.")
