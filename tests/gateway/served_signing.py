"""tests/gateway: the issuer with clients, people and a database, for several server processes at once."""

import json
import os
from pathlib import Path

from tests.gateway.deployment import Deployment
from tests.gateway.signing import CLIENTS, PEOPLE, with_keys
from tests.support.databases import keyed

app = Deployment(
    Path(os.environ["ISSUER_FOLDER"]),
    consumers={**CLIENTS, **with_keys(json.loads(os.environ["CLIENT_KEYS"]))},
    people=PEOPLE,
    url=os.environ["PUBLIC_URL"],
    database=keyed(os.environ["DATABASE_URL"]),
    workers=2,
).gateway
