"""tests/conformance/gateway: the target as a module that an ASGI server can be pointed at."""

import os
from pathlib import Path

import msgspec

from tests.conformance.gateway.deployment import lifecycles, make
from tests.support.databases import keyed

_folder = Path(os.environ["CONFORMANCE_FOLDER"])

app = make(
    _folder,
    msgspec.json.decode((_folder / "jwks.json").read_bytes()),
    keyed(os.environ["CONFORMANCE_DATABASE_URL"]),
    lifecycles=lifecycles(),
)
