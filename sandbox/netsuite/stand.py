"""The NetSuite stand-in, as the conformance suites know it."""

from sandbox.core.stand import Noun, RequiredField, Stand
from sandbox.netsuite.golden import GOLDEN

STAND = Stand(
    reads=("GET", "/services/rest/record/"),
    nouns={
        "customer": Noun("customer", ("PUT", "/customer/"), ("GET", "/customer/")),
        "contract": Noun("salesOrder", ("PUT", "/salesOrder/")),
    },
    breaks={"id": 7, "companyName": None},
    golden=GOLDEN,
    effects=(("PUT", "/customer/eid"), ("PUT", "/billingschedule/eid"), ("PUT", "/salesorder/eid")),
    questions=("/token", "/suiteql"),
    required_field=RequiredField(
        noun="customer",
        name="custentity_segment",
        value="B2B",
        schema={
            "object": "customer",
            "add_field": {
                "name": "custentity_segment",
                "type": "string",
                "label": "Segment",
                "required": True,
            },
        },
        profile='[required_custom.customer]\ncustentity_segment = { value = "B2B" }',
    ),
    concurrency="concurrency",
)
