"""The Toy ERP stand-in, as the conformance suites know it."""

from sandbox.toyerp.golden import GOLDEN

from sandbox.core.stand import Noun, Stand

_CUSTOMER, _CONTRACT = ("PUT", "/customers/by-key/"), ("PUT", "/contracts/by-key/")

STAND = Stand(
    reads=("GET", "/customers"),
    nouns={"customer": Noun("customers", _CUSTOMER), "contract": Noun("contracts", _CONTRACT)},
    breaks={"id": 5, "master": None},
    effects=(_CUSTOMER, _CONTRACT),
    golden=GOLDEN,
)
