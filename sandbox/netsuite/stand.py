"""The NetSuite stand-in, as the conformance suites know it."""

from sandbox.core.stand import Noun, Stand
from sandbox.netsuite.golden import GOLDEN

STAND = Stand(
    reads=("GET", "/services/rest/record/"),
    nouns={
        "customer": Noun("customer", ("PUT", "/customer/")),
        "contract": Noun("salesOrder", ("PUT", "/salesOrder/")),
    },
    breaks={"id": 7, "companyName": None},
    golden=GOLDEN,
)
