"""deploy: checks that the ports are free before anything is started."""

import errno
import socket
from collections.abc import Iterable, Mapping

from deploy.errors import CommandError


def ip_of(host: str) -> str:
    """The IP address to listen on: of a name (``localhost``) that of IPv4, where it has both.

    Raises socket.gaierror for an unknown name.
    """
    addresses = socket.getaddrinfo(host.strip("[]"), None, type=socket.SOCK_STREAM)
    return str(min(addresses, key=lambda each: each[0] != socket.AF_INET)[4][0])


def family_of(ip: str) -> socket.AddressFamily:
    """The address family of an IP address."""
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def port_fault(host: str, port: int) -> str | None:
    """Why a port cannot be listened on, in a few words; None when it can."""
    try:
        ip = ip_of(host)
    except socket.gaierror as error:
        return f"of {host} cannot be had ({error.strerror})"
    with socket.socket(family_of(ip)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
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
