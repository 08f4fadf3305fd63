"""tests/clients: the ordinary operations of the netsuite package, one function each, answering in JSON.

Runs in .venv-clients. Host names are the client's own (ACCOUNT.suitetalk.api.netsuite.com), and reach the
stand-in through HTTPS_PROXY.
"""

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

from netsuite import Config, NetSuiteRestApi
from netsuite.exceptions import NetsuiteAPIRequestError

CUSTOMER = "/record/v1/customer"


def open_client() -> NetSuiteRestApi:
    return NetSuiteRestApi(Config.from_env())


async def refused(call: Any) -> list[Any]:
    """The status and the vendor's code of a call that fails."""
    try:
        await call
    except NetsuiteAPIRequestError as problem:
        said = json.loads(problem.response_text)
        return [problem.status_code, said["o:errorDetails"][0]["o:errorCode"]]
    return []


async def knows_whose_token_it_is() -> Any:
    told = await open_client().token_info()
    return {
        "company": told["companyId"],
        "account": Config.from_env().account,
        "role": bool(told["roleName"]),
    }


async def keeps_a_customer() -> Any:
    client = open_client()
    fields = {"companyName": "Globex Corporation", "subsidiary": {"id": "3"}, "currency": {"id": "2"}}
    await client.put(f"{CUSTOMER}/eid:cus_kept", json=fields)
    first = await client.get(f"{CUSTOMER}/eid:cus_kept")
    await client.put(f"{CUSTOMER}/eid:cus_kept", json={**fields, "email": "pay@globex.example"})
    await client.patch(f"{CUSTOMER}/{first['id']}", json={"comments": "Asked for"})
    second = await client.get(f"{CUSTOMER}/{first['id']}", params={"fields": "companyName,email,comments"})
    await client.delete(f"{CUSTOMER}/{first['id']}")
    names = ("companyName", "email", "comments")
    return {
        "kept": {name: second[name] for name in names},
        "gone": await refused(client.get(f"{CUSTOMER}/eid:cus_kept")),
    }


async def creates_an_order() -> Any:
    client = open_client()
    fields = {"companyName": "Globex Corporation", "subsidiary": {"id": "3"}, "currency": {"id": "2"}}
    await client.put(f"{CUSTOMER}/eid:cus_ordering", json=fields)
    customer = await client.get(f"{CUSTOMER}/eid:cus_ordering")
    answer = await client.request(
        "POST",
        "/record/v1/salesOrder",
        json={
            "entity": {"id": customer["id"]},
            "externalId": "con_0001",
            "tranDate": "2026-12-01",
            "item": {"items": [{"item": {"id": "11"}, "quantity": 2, "rate": 90000.5}]},
        },
    )
    order_id = answer.headers["location"].rsplit("/", 1)[1]
    order = await client.get(f"/record/v1/salesOrder/{order_id}", params={"expandSubResources": "true"})
    return {
        "status": answer.status_code,
        "body": answer.text,
        "total": order["total"],
        "lines": [[line["quantity"], line["rate"]] for line in order["item"]["items"]],
        "customer_needed": await refused(client.delete(f"{CUSTOMER}/{customer['id']}")),
    }


async def posts_a_customer() -> Any:
    """The package's own `post` reads the empty answer of a creation as nothing."""
    client = open_client()
    answer = await client.post(CUSTOMER, json={"companyName": "Hooli", "subsidiary": {"id": "3"}})
    found = await client.get(CUSTOMER, params={"q": 'companyName IS "Hooli"'})
    return {"answer": answer, "found": found["totalResults"]}


async def is_refused_with_the_vendors_words() -> Any:
    client = open_client()
    return {
        "unknown_field": await refused(client.post(CUSTOMER, json={"companyNam": "Hooli"})),
        "missing": await refused(client.post(CUSTOMER, json={"companyName": "Hooli"})),
        "unknown_id": await refused(client.get(f"{CUSTOMER}/99999999")),
    }


async def pages_through_suiteql() -> Any:
    client = open_client()
    for number in range(7):
        key = f"{CUSTOMER}/eid:cus_{number:04}"
        await client.put(key, json={"companyName": f"Many {number}", "subsidiary": {"id": "2"}})
    question = "SELECT id, companyname FROM customer WHERE companyname LIKE 'Many %' ORDER BY companyname"
    pages = [await client.suiteql(question, limit=3, offset=offset) for offset in (0, 3, 6)]
    return {
        "names": [[row["companyname"] for row in page["items"]] for page in pages],
        "more": [page["hasMore"] for page in pages],
        "total": pages[0]["totalResults"],
        "ids_are_text": all(isinstance(row["id"], str) for row in pages[0]["items"]),
    }


async def reads_the_catalogue() -> Any:
    client = open_client()
    schema = await client.jsonschema("customer")
    document = await client.openapi(["customer", "salesOrder"])
    return {
        "company_name": schema["properties"]["companyName"]["type"],
        "openapi": document["openapi"],
        "records": sorted({path.split("/")[1] for path in document["paths"]}),
    }


async def asks_many_things_at_once() -> Any:
    client = open_client()
    answers = await asyncio.gather(*(client.get(f"/record/v1/term/{number}") for number in (1, 2, 3) * 5))
    return sorted({answer["name"] for answer in answers})


OPERATIONS = (
    knows_whose_token_it_is,
    keeps_a_customer,
    creates_an_order,
    posts_a_customer,
    is_refused_with_the_vendors_words,
    pages_through_suiteql,
    reads_the_catalogue,
    asks_many_things_at_once,
)


async def outcome(operation: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    try:
        return {"returned": await operation()}
    except Exception:  # noqa: BLE001 the test that looks at it shows it
        return {"failure": traceback.format_exc()}


async def outcomes() -> dict[str, Any]:
    return {operation.__name__: await outcome(operation) for operation in OPERATIONS}


if __name__ == "__main__":
    json.dump(asyncio.run(outcomes()), sys.stdout)
