"""Bundles at the Salesforce stand-in: many requests in one, and what becomes of the others when one fails."""

OPP = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-03-31"}
V = "/services/data/v66.0"


def step(name, method, url, body=None, **more):
    return {"referenceId": name, "method": method, "url": V + url, "body": body} | more


async def test_composite_refers_to_earlier_answers(api):
    """A sub-request uses an earlier one's id; each answer has its own status and headers."""
    steps = [
        step("acc", "POST", "/sobjects/Account", {"Name": "A"}),
        step("con", "POST", "/sobjects/Contact", {"LastName": "B", "AccountId": "@{acc.id}"}),
        step("q", "GET", "/query?q=SELECT+Id,AccountId+FROM+Contact+WHERE+Id='@{con.id}'"),
        step("upd", "PATCH", "/sobjects/Account/@{q.records[0].AccountId}", {"Phone": "1"}),
        step("bad", "GET", "/sobjects/Contact/@{nobody.id}"),
    ]
    answers = (await api.post("/composite", {"compositeRequest": steps}))["compositeResponse"]
    assert [a["httpStatusCode"] for a in answers] == [201, 201, 200, 204, 400]
    account_id = answers[0]["body"]["id"]
    assert answers[0]["httpHeaders"]["Location"] == f"{V}/sobjects/Account/{account_id}"
    assert answers[2]["body"]["records"][0]["AccountId"] == account_id
    assert answers[3]["body"] is None
    assert (await api.get(f"/sobjects/Account/{account_id}"))["Phone"] == "1"


async def test_composite_all_or_none_leaves_nothing(api):
    """One failure undoes the rest, which then say PROCESSING_HALTED."""
    steps = [
        step("a", "POST", "/sobjects/Account", {"Name": "Undone"}),
        step("b", "POST", "/sobjects/Account", {}),
        step("c", "POST", "/sobjects/Account", {"Name": "Never"}),
    ]
    body = await api.post("/composite", {"allOrNone": True, "compositeRequest": steps})
    codes = [a["body"][0]["errorCode"] for a in body["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert await api.soql("SELECT Id FROM Account WHERE Name IN ('Undone','Never')") == []


async def test_composite_without_all_or_none_keeps_the_good(api):
    """Without allOrNone each sub-request stands by itself."""
    steps = [
        step("a", "POST", "/sobjects/Account", {"Name": "Kept"}),
        step("b", "POST", "/sobjects/Account", {}),
    ]
    body = await api.post("/composite", {"compositeRequest": steps})
    assert [a["httpStatusCode"] for a in body["compositeResponse"]] == [201, 400]
    assert len(await api.soql("SELECT Id FROM Account WHERE Name = 'Kept'")) == 1
    too_many = [step(f"s{i}", "GET", "/limits") for i in range(26)]
    assert (await api.refused("POST", "/composite", {"compositeRequest": too_many}))[0] == 400


async def test_composite_takes_conditions(api):
    """A sub-request's headers count: an unmodified row is 304 without a body."""
    record_id = (await api.post("/sobjects/Account", {"Name": "A"}))["id"]
    stamp = (await api.send("GET", f"/sobjects/Account/{record_id}")).headers["last-modified"]
    asked = step("a", "GET", f"/sobjects/Account/{record_id}", httpHeaders={"If-Modified-Since": stamp})
    [answer] = (await api.post("/composite", {"compositeRequest": [asked]}))["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"]) == (304, None)


async def test_batch_counts_each_and_halts(account, api):
    """A batch's requests are relative, count one call each, and stop at the first error where asked."""
    record_id = (await api.post("/sobjects/Account", {"Name": "A"}))["id"]
    used = (await account.limits())["used_api_requests"]
    requests = [
        {"method": "PATCH", "url": f"v66.0/sobjects/Account/{record_id}", "richInput": {"Name": "N"}},
        {"method": "GET", "url": "v66.0/sobjects/Account/001000000000000AAA"},
        {"method": "GET", "url": f"v66.0/sobjects/Account/{record_id}"},
    ]
    body = await api.post("/composite/batch", {"haltOnError": True, "batchRequests": requests})
    assert [r["statusCode"] for r in body["results"]] == [204, 404, 412]
    assert body["results"][2]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert (await account.limits())["used_api_requests"] == used + 3


async def test_graphs_are_atomic_each(api):
    """A failed graph leaves nothing, the good one stays."""
    good = {"graphId": "1", "compositeRequest": [step("a", "POST", "/sobjects/Account", {"Name": "G1"})]}
    bad_steps = [
        step("a", "POST", "/sobjects/Account", {"Name": "G2"}),
        step("b", "POST", "/sobjects/Opportunity", {"Name": "x", "AccountId": "@{a.id}"}),
    ]
    body = await api.post(
        "/composite/graph", {"graphs": [good, {"graphId": "2", "compositeRequest": bad_steps}]}
    )
    assert [g["isSuccessful"] for g in body["graphs"]] == [True, False]
    assert [r["Name"] for r in await api.soql("SELECT Name FROM Account WHERE Name LIKE 'G_'")] == ["G1"]


async def test_tree_plants_children(api):
    """A tree makes parents and children, or nothing."""
    child = {"attributes": {"type": "Contact", "referenceId": "r2"}, "LastName": "B"}
    tree = {
        "attributes": {"type": "Account", "referenceId": "r1"},
        "Name": "T",
        "Contacts": {"records": [child]},
    }
    answer = await api.send("POST", "/composite/tree/Account", {"records": [tree]})
    assert answer.status_code == 201
    assert [r["referenceId"] for r in answer.json()["results"]] == ["r1", "r2"]
    child["Email"] = "nonsense"
    tree["Name"] = "T2"
    failed = await api.send("POST", "/composite/tree/Account", {"records": [tree]})
    assert failed.status_code == 400
    assert failed.json()["results"][0]["errors"][0]["statusCode"] == "INVALID_EMAIL_ADDRESS"
    assert await api.soql("SELECT Id FROM Account WHERE Name = 'T2'") == []


async def test_collections_tell_each_row(api):
    """Every record has its result; allOrNone undoes the good ones; 201 records are too many."""
    rows = [
        {"attributes": {"type": "Account"}, "Name": "C1"},
        {"attributes": {"type": "Account"}},
        {"Name": "x"},
    ]
    results = await api.post("/composite/sobjects", {"allOrNone": False, "records": rows})
    assert [r["success"] for r in results] == [True, False, False]
    assert [r["errors"][0]["statusCode"] for r in results[1:]] == [
        "REQUIRED_FIELD_MISSING",
        "JSON_PARSER_ERROR",
    ]
    undone = await api.post("/composite/sobjects", {"allOrNone": True, "records": rows[:2]})
    assert undone[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert len(await api.soql("SELECT Id FROM Account WHERE Name = 'C1'")) == 1
    assert (await api.refused("POST", "/composite/sobjects", {"records": [rows[0]] * 201}))[0] == 400
    keyed = [
        {"attributes": {"type": "Account"}, "Name": "K", "Enfilade_Id__c": key} for key in ("k1", "k2", "k1")
    ]
    path = "/composite/sobjects/Account/Enfilade_Id__c"
    upserted = (await api.send("PATCH", path, {"records": keyed})).json()
    assert [r["created"] for r in upserted] == [True, True, False]
    ids = [r["id"] for r in upserted[:2]]
    listed = await api.get("/composite/sobjects/Account", ids=f"{ids[0]},001000000000000AAA", fields="Name")
    assert [r and r["Name"] for r in listed] == ["K", None]
    deleted = (await api.send("DELETE", f"/composite/sobjects?ids={','.join(ids)}")).json()
    assert [r["success"] for r in deleted] == [True, True]


async def test_bulk_jobs(api):
    """A bulk job takes CSV and tells good and bad rows; a bulk query gives CSV in pages."""
    job = await api.post("/jobs/ingest", {"object": "Account", "operation": "upsert",
                                          "externalIdFieldName": "Enfilade_Id__c"})  # fmt: skip
    assert (job["state"], job["apiVersion"]) == ("Open", 66.0)
    csv = "Enfilade_Id__c,Name\nb1,Bulk One\nb2,\n"
    headers = {"Content-Type": "text/csv"}
    put = await api.send("PUT", f"/{job['contentUrl']}", content=csv.encode(), headers=headers)
    assert put.status_code == 201
    await api.send("PATCH", f"/jobs/ingest/{job['id']}", {"state": "UploadComplete"})
    done = await api.get(f"/jobs/ingest/{job['id']}")
    assert (done["state"], done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (
        "JobComplete",
        2,
        1,
    )
    failed = (await api.send("GET", f"/jobs/ingest/{job['id']}/failedResults")).text.splitlines()
    assert failed[0] == '"sf__Id","sf__Error","Enfilade_Id__c","Name"'
    assert "REQUIRED_FIELD_MISSING" in failed[1]
    query = {"operation": "query", "query": "SELECT Name FROM Account WHERE Enfilade_Id__c != null"}
    job = await api.post("/jobs/query", query)
    result = await api.send("GET", f"/jobs/query/{job['id']}/results?maxRecords=10")
    assert (result.text, result.headers["sforce-locator"]) == ('"Name"\n"Bulk One"\n', "null")


async def test_a_bundle_takes_what_the_vendor_takes(api):
    """A member, a resource or a size that the vendor does not take is refused, and never passed over."""
    good = step("a", "GET", "/sobjects/Account/describe")
    account = {"attributes": {"type": "Account"}, "Name": "A"}
    contact = {"attributes": {"type": "Contact"}, "LastName": "B"}
    graph = {
        "graphId": "g",
        "compositeRequest": [step(f"n{i}", "GET", f"/sobjects/{i}/x") for i in range(16)],
    }
    chain = [step("r0", "GET", "/sobjects/Account/x")]
    chain += [step(f"r{i}", "GET", f"/sobjects/Account/@{{r{i - 1}.id}}") for i in range(1, 16)]
    refusals = {
        ("/composite", "JSON_PARSER_ERROR"): [
            {"allOrNothing": True, "compositeRequest": [good]},
            {"compositeRequest": [good | {"richInput": {}}]},
            {"compositeRequest": [1]},
        ],
        ("/composite", "INVALID_INPUT"): [{"compositeRequest": [{"method": "GET", "url": good["url"]}]}],
        ("/composite/batch", "JSON_PARSER_ERROR"): [
            {"batchRequests": [{"method": "GET", "url": "v66.0/limits", "binaryPartName": "x"}]}
        ],
        ("/composite/graph", "LIMIT_EXCEEDED"): [
            {"graphs": [graph]}, {"graphs": [{"graphId": "g", "compositeRequest": chain}]}
        ],
        ("/composite/sobjects", "LIMIT_EXCEEDED"): [{"records": [account, contact] * 6}],
        ("/composite/sobjects/Account", "JSON_PARSER_ERROR"): [{"ids": [1], "fields": ["Id"]}],
        ("/composite/tree/Account", "JSON_PARSER_ERROR"): [{"records": [1]}],
        ("/jobs/ingest", "INVALIDJOB"): [
            {"object": "Account", "operation": "hardDelete"},
            {"object": "Account", "operation": "insert", "columnDelimiter": "SPACE"},
        ],
        ("/jobs/ingest", "JSON_PARSER_ERROR"): [
            {"object": "Account", "operation": "insert", "assignmentRuleId": "01Q000000000000AAA"}
        ],
        ("/jobs/query", "API_ERROR"): [
            {"operation": "query", "query": query}
            for query in ("SELECT COUNT() FROM Account", "SELECT (SELECT Id FROM Contacts) FROM Account")
        ],
    }  # fmt: skip
    for (path, code), bodies in refusals.items():
        for body in bodies:
            assert (await api.refused("POST", path, body))[:2] == (400, code), body
    within = {"compositeRequest": [step("a", "GET", "/limits")]}
    [answer] = (await api.post("/composite", within))["compositeResponse"]
    assert (answer["httpStatusCode"], answer["body"][0]["errorCode"]) == (400, "INVALID_INPUT")
    assert (await api.refused("POST", "/services/data/v49.0/composite/graph", {"graphs": []}))[0] == 404


async def test_a_tree_has_five_levels(api):
    """A tree that is deeper, here of accounts below accounts, leaves nothing."""
    tree = {"attributes": {"type": "Account", "referenceId": "6"}, "Name": "Deep 6"}
    for level in range(5, 0, -1):
        children = {"ChildAccounts": {"records": [tree]}}
        tree = {
            "attributes": {"type": "Account", "referenceId": str(level)},
            "Name": f"Deep {level}",
        } | children
    assert (await api.refused("POST", "/composite/tree/Account", {"records": [tree]}))[1] == "LIMIT_EXCEEDED"
    assert await api.soql("SELECT Id FROM Account WHERE Name LIKE 'Deep %'") == []


async def test_a_bulk_row_names_its_parent_by_external_id(api):
    """A column `Account.Enfilade_Id__c` finds the parent; a value that nobody has fails that row alone."""
    parent = (await api.post("/sobjects/Account", {"Name": "Parent", "Enfilade_Id__c": "p1"}))["id"]
    job = await api.post("/jobs/ingest", {"object": "Contact", "operation": "insert"})
    csv = "LastName,Account.Enfilade_Id__c\nOne,p1\nTwo,nobody\n"
    headers = {"Content-Type": "text/csv"}
    await api.send("PUT", f"/{job['contentUrl']}", content=csv.encode(), headers=headers)
    await api.send("PATCH", f"/jobs/ingest/{job['id']}", {"state": "UploadComplete"})
    assert (await api.get(f"/jobs/ingest/{job['id']}"))["numberRecordsFailed"] == 1
    [row] = await api.soql(f"SELECT LastName FROM Contact WHERE AccountId = '{parent}'")  # noqa: S608 - SOQL
    assert row["LastName"] == "One"
