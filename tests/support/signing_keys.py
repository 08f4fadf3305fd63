"""tests/support: an issuer's signing keys, made once per process: making RSA keys is slow."""

import functools
import tempfile
from pathlib import Path

from gateway.identity.issuing.issuer import LIFETIME_SECONDS
from gateway.identity.issuing.keyring import Keyring

_FILE = "issuer.keys.json"


def share_signing_keys(folder: Path) -> None:
    """Put the process's keys into a folder that has none, for an issuer that keeps its keys there."""
    if not (folder / _FILE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _FILE).write_bytes(_signing_keys())


@functools.cache
def _signing_keys() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Keyring(Path(folder), lifetime=LIFETIME_SECONDS)
        return (Path(folder) / _FILE).read_bytes()
