"""A vendor's name, and what it calls its fields, stand in its own folders only."""

import re
from collections.abc import Iterator
from pathlib import Path

from system_apis.app import vendors

ROOT = Path(__file__).parents[2]
ROOMS = (
    "gateway",
    "experience_apis",
    "process_apis",
    "system_apis",
    "kit",
    "contracts",
    "deploy",
    "sandbox",
    "bench",
)
# What a vendor calls things, and nobody else.
FIELDS = (
    r"\w+__c\b|StageName|AccountId|salesOrder|companyName|custbody_|workspace_(groups|resources|allocations)"
)
# Lines that speak of a vendor where they should not. The numbers may only become smaller.
TOLERATED = {
    "bench/activation.py": 5,
    "bench/report.py": 1,
    "deploy/cli/commands/instance.py": 1,
    "deploy/cli/commands/sandbox.py": 3,
    "deploy/cli/commands/trace.py": 1,
    "tests/architecture/test_shapes.py": 1,
    "tests/bench/test_bench.py": 2,
    "tests/contracts/public_gateway.py": 2,
    "tests/deploy/cli/commands/test_cli.py": 7,
    "tests/deploy/cli/commands/test_up.py": 2,
    "tests/deploy/composition/test_policy_participant.py": 12,
    "tests/deploy/composition/test_production.py": 5,
    "tests/deploy/composition/test_unknown_names.py": 4,
    "tests/gateway/test_portal.py": 4,
    "tests/gateway/test_reload.py": 2,
    "tests/process_apis/test_ids.py": 17,
    "tests/support/production.py": 16,
    "tests/system_apis/test_closed.py": 29,
}


def places() -> Iterator[Path]:
    """Everything that a person wrote and that is not a vendor's own."""
    own = {(ROOT / top / vendor) for top in ("sandbox", "system_apis/vendors") for vendor in vendors()}
    own |= {(ROOT / "tests" / top / vendor) for top in ("sandbox", "system_apis") for vendor in vendors()}
    own |= {ROOT / top / "platforms" for top in ("system_apis", "tests/system_apis")}  # shared by vendors
    own |= {ROOT / "tests/clients"}  # ordinary clients of the vendors, which verify the stand-ins
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        if not own & set(path.parents) and path != Path(__file__):
            yield path


def test_vendors_are_named_in_their_own_folders_only() -> None:
    """Whoever else names one, or a field of one, stands in the list above, and the list shrinks."""
    names = re.compile(rf"(?i:{'|'.join(vendors())})|{FIELDS}")
    counted = {
        str(path.relative_to(ROOT)): count
        for path in places()
        if (count := sum(bool(names.search(line)) for line in path.read_text(encoding="utf-8").splitlines()))
    }
    assert {path: count for path, count in counted.items() if count > TOLERATED.get(path, 0)} == {}
