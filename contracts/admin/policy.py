"""The policy that is in force: which files it was read from, and by which digest every worker knows it."""

import datetime as dt
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from contracts.operation import Method, api, operation

Address = Annotated[str, Meta(pattern=r"^/[!-~]*$", max_length=2000)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9@._\-]+$", max_length=100)]


class PolicyRefused(msgspec.Struct, frozen=True):
    """A change of the files that was refused whole, with file, line and reason of each fault."""

    at: dt.datetime
    faults: tuple[str, ...]


class PolicyInForce(msgspec.Struct, frozen=True, omit_defaults=True):
    """One policy, whole: the policy files as they were read together.

    `digest` is the same wherever the same policy is in force, whatever comments its files have. While a
    change is `refused`, the policy before it stays. `restart_required` names what only a restart puts in
    force.
    """

    digest: str
    since: dt.datetime
    folder: str = ""
    refused: PolicyRefused | None = None
    restart_required: tuple[str, ...] = ()


class RuleThatApplies(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule that a request would meet: whose, what it does, and the file and line where it is written.

    `refuses` is the status with which it ends the request; absent where it lets it by.
    """

    policy: str
    says: str
    source: str
    refuses: int | None = None


class Explanation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rules that a request would meet, in order. `verdict` is ``allowed``, or the code of the refusal."""

    method: str
    path: str
    consumer: str
    digest: str
    rules: tuple[RuleThatApplies, ...]
    verdict: str
    person: str = ""
    operation: str = ""
    status: int | None = None


@api(
    "gateway",
    "policy",
    version=1,
    summary="The policy that is in force",
    data_classes=("commercial", "personal"),
)
class PolicyInspection(Protocol):
    """The gateway's policy as it stands."""

    @operation("GET", "/in-force", summary="Read which policy is in force")
    async def get_in_force(self) -> PolicyInForce:
        """The policy that new requests meet."""
        ...

    @operation("GET", "/explanation", summary="Ask which rules a request would meet, and why")
    async def explain(
        self, method: Method, path: Address, consumer: Name, person: Name | None = None
    ) -> Explanation:
        """Every rule in the order of the pipeline, up to the one that refuses."""
        ...
