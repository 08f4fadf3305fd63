"""tests/clients: the ordinary operations of simple-salesforce, one function each, answering in JSON.

Runs in .venv-clients. `domain` is the org's My Domain, as in a real program; https and host names are the
client's own, and reach the stand-in through HTTPS_PROXY.
"""

import json
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

ENV = os.environ
MY_DOMAIN = urlsplit(ENV["SALESFORCE_MY_DOMAIN_URL"]).hostname or ""


def by_client_credentials() -> Salesforce:
    return Salesforce(
        consumer_key=ENV["SALESFORCE_CLIENT_ID"],
        consumer_secret=ENV["SALESFORCE_CLIENT_SECRET"],
        domain=MY_DOMAIN.removesuffix(".salesforce.com"),
    )


def by_jwt() -> Salesforce:
    return Salesforce(
        username=ENV["SALESFORCE_USERNAME"],
        consumer_key=ENV["SALESFORCE_CLIENT_ID"],
        privatekey_file=ENV["SALESFORCE_PRIVATE_KEY_FILE"],
    )


def logs_in_by_client_credentials() -> Any:
    client = by_client_credentials()
    return {"instance": client.sf_instance, "my_domain": MY_DOMAIN, "sandbox": client.is_sandbox()}


def logs_in_by_jwt() -> Any:
    client = by_jwt()
    told = client.oauth2("userinfo")
    return {"instance": client.sf_instance, "my_domain": MY_DOMAIN, "username": told["preferred_username"]}


def logs_in_again_when_the_session_is_dead() -> Any:
    client = by_jwt()
    first = client.session_id
    client.oauth2("revoke", params={"token": first})
    rows = client.query("SELECT Id FROM Account LIMIT 1")["totalSize"]
    return {"rows": rows, "same_session": client.session_id == first}


def pages_through_rows() -> Any:
    client = by_jwt()
    client.bulk2.Account.insert(records=[{"Name": f"Many {number:04}"} for number in range(250)])
    soql = "SELECT Id, Name FROM Account WHERE Name LIKE 'Many %' ORDER BY Name"
    small = {"Sforce-Query-Options": "batchSize=200"}
    first = client.query(soql, headers=small)
    second = client.query_more(first["nextRecordsUrl"], identifier_is_url=True, headers=small)
    every = [row["Name"] for row in client.query_all_iter(soql, headers=small)]
    return {
        "total": first["totalSize"],
        "pages": [len(first["records"]), len(second["records"])],
        "done": [first["done"], second["done"]],
        "ends": [every[0], every[-1]],
        "distinct": len(set(every)),
    }


def creates_reads_updates_deletes() -> Any:
    client = by_jwt()
    made = client.Account.create({"Name": "Hooli", "BillingCountry": "US"})
    updated = client.Account.update(made["id"], {"BillingCity": "Palo Alto"})
    read = client.Account.get(made["id"])
    deleted = client.Account.delete(made["id"])
    try:
        client.Account.get(made["id"])
        gone = None
    except SalesforceResourceNotFound as problem:
        gone = [problem.status, problem.content[0]["errorCode"]]
    return {
        "made": made["success"],
        "updated": updated,
        "read": {name: read[name] for name in ("Name", "BillingCity")},
        "deleted": deleted,
        "gone": gone,
    }


def upserts_by_external_id() -> Any:
    client = by_jwt()
    key = "Enfilade_Id__c/cus_0001"
    statuses = [client.Account.upsert(key, {"Name": name}) for name in ("First", "Second")]
    read = client.Account.get_by_custom_id("Enfilade_Id__c", "cus_0001")
    return {"statuses": statuses, "name": read["Name"]}


def is_refused_with_the_vendors_words() -> Any:
    client = by_jwt()
    try:
        client.Account.create({"BillingCountry": "US"})
    except SalesforceMalformedRequest as problem:
        return {"status": problem.status, **problem.content[0]}
    return {}


def describes() -> Any:
    client = by_jwt()
    fields = {field["name"]: field for field in client.Opportunity.describe()["fields"]}
    objects = {each["name"] for each in client.describe()["sobjects"]}
    return {
        "objects": sorted(objects & {"Account", "Opportunity", "Contact"}),
        "external_id": fields["Enfilade_Id__c"]["externalId"],
        "pricing": [value["value"] for value in fields["Pricing_Model__c"]["picklistValues"]],
        "metadata": client.Opportunity.metadata()["objectDescribe"]["name"],
    }


def knows_its_limits() -> Any:
    client = by_jwt()
    before = client.limits()["DailyApiRequests"]
    usage = client.api_usage["api-usage"]
    return {
        "left": before["Remaining"],
        "allowed": before["Max"],
        "header": [usage.used, usage.total],
    }


def bundles_calls() -> Any:
    client = by_jwt()
    body = {
        "allOrNone": True,
        "compositeRequest": [
            {
                "method": "POST",
                "url": f"/services/data/v{client.sf_version}/sobjects/Account",
                "referenceId": "firm",
                "body": {"Name": "Bundled"},
            },
            {
                "method": "POST",
                "url": f"/services/data/v{client.sf_version}/sobjects/Contact",
                "referenceId": "person",
                "body": {"LastName": "Ruiz", "AccountId": "@{firm.id}"},
            },
        ],
    }
    answer = client.restful("composite", method="POST", json=body)
    soql = "SELECT Account.Name FROM Contact WHERE LastName = 'Ruiz' AND Account.Name = 'Bundled'"
    return {
        "statuses": [each["httpStatusCode"] for each in answer["compositeResponse"]],
        "parent": client.query(soql)["records"][0]["Account"]["Name"],
    }


def loads_in_bulk() -> Any:
    client = by_jwt()
    rows = [{"Name": "In bulk 1"}, {"Name": "In bulk 2"}, {"Name": ""}]
    job = client.bulk2.Account.insert(records=rows)[0]
    failed = client.bulk2.Account.get_failed_records(job["job_id"])
    query = "SELECT Name FROM Account WHERE Name LIKE 'In bulk%' ORDER BY Name"
    pages = list(client.bulk2.Account.query(query))
    return {
        "processed": job["numberRecordsProcessed"],
        "failed": job["numberRecordsFailed"],
        "failure": failed.splitlines()[1].split(",")[1],
        "read": [line.strip('"') for line in pages[0].splitlines()],
    }


OPERATIONS = (
    logs_in_by_client_credentials,
    logs_in_by_jwt,
    logs_in_again_when_the_session_is_dead,
    pages_through_rows,
    creates_reads_updates_deletes,
    upserts_by_external_id,
    is_refused_with_the_vendors_words,
    describes,
    knows_its_limits,
    bundles_calls,
    loads_in_bulk,
)


def outcome(operation: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"returned": operation()}
    except Exception:  # noqa: BLE001 the test that looks at it shows it
        return {"failure": traceback.format_exc()}


if __name__ == "__main__":
    json.dump({operation.__name__: outcome(operation) for operation in OPERATIONS}, sys.stdout)
