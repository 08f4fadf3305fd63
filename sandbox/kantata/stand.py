"""The Kantata stand-in, as the conformance suites know it."""

from sandbox.core.stand import Noun, Stand
from sandbox.kantata.golden import GOLDEN

STAND = Stand(
    reads=("GET", "/workspace"),
    nouns={
        "client": Noun("workspace_groups", ("POST", "/workspace_groups")),
        "project": Noun("workspaces", ("POST", "/workspaces")),
    },
    connection={"throttled_seconds": 0, "settle_seconds": 0.6},
    logs_in_again=False,
    breaks={"results": [{"key": "workspaces", "id": "1"}], "workspaces": {}},
    golden=GOLDEN,
)
