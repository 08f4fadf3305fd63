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
    effects=(
        ("POST", "/workspace_groups"),
        ("POST", "/workspaces"),
        ("POST", "/stories"),
        ("POST", "/workspace_resources"),
        ("POST", "/workspace_allocations"),
    ),
    refuses={
        "answer": {
            "status": 422,
            "body": {"errors": [{"type": "validation", "message": "no", "field": "title"}]},
        }
    },
    breaks={"results": [{"key": "workspaces", "id": "1"}], "workspaces": {}},
    golden=GOLDEN,
)
