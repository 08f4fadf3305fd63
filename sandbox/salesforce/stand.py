"""The Salesforce stand-in, as the conformance suites know it."""

from typing import Any

from sandbox.core.console import new_deal
from sandbox.core.stand import Noun, RequiredField, Stand
from sandbox.salesforce.console import CONSOLE
from sandbox.salesforce.golden import GOLDEN


async def _deal(account: Any, **fields: Any) -> tuple[str, str]:
    customer = {"currency": fields["currency"]} if "currency" in fields else {}
    return await new_deal(CONSOLE(account), customer=customer, **fields)


STAND = Stand(
    reads=("GET", "/query"),
    writes=("POST", "/composite"),
    breaks={"records": [{"Id": 5, "Name": None}], "done": True},
    deal=_deal,
    nouns={
        "deal": Noun("Opportunity", ("POST", "/sobjects/Opportunity"), ("GET", r"/query\?.*StageName")),
    },
    effects=(("POST", "/composite"),),
    questions=("/token", "/batch_request"),
    refuses={"status": 400, "when": "before"},
    conflicts={
        "answer": {
            "status": 200,
            "body": {
                "compositeResponse": [
                    {
                        "body": [{"errorCode": "PRECONDITION_FAILED", "message": "saved by others"}],
                        "httpStatusCode": 412,
                        "httpHeaders": {},
                        "referenceId": name,
                    }
                    for name in ("write", "read")
                ]
            },
        }
    },
    required_field=RequiredField(
        noun="deal",
        name="Handover__c",
        value="by sales",
        schema={
            "object": "Opportunity",
            "add_field": {"name": "Handover__c", "type": "string", "length": 40, "required": True},
        },
        profile='[required_custom.opportunity]\nHandover__c = "by Enfilade"',
    ),
    daily_calls="daily_api_requests",
    golden=GOLDEN,
)
