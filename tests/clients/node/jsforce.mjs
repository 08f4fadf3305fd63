// The ordinary operations of jsforce, one function each. https and host names are the client's own, and reach the
// stand-in through HTTPS_PROXY; its certificates are known by NODE_EXTRA_CA_CERTS.

import { readFileSync } from "node:fs";

import jsforce from "jsforce";

import { tell } from "./telling.mjs";

const env = process.env;
const myDomain = env.SALESFORCE_MY_DOMAIN_URL;
const oauth2 = { clientId: env.SALESFORCE_CLIENT_ID, clientSecret: env.SALESFORCE_CLIENT_SECRET, loginUrl: myDomain };

async function open(more = {}) {
    const connection = new jsforce.Connection({ oauth2, instanceUrl: myDomain, version: "62.0", ...more });
    await connection.authorize({ grant_type: "client_credentials" });
    return connection;
}

await tell({
    async logs_in_by_client_credentials() {
        const connection = await open();
        const user = await connection.request("/services/oauth2/userinfo");
        return { instance: connection.instanceUrl === myDomain, username: user.preferred_username };
    },
    async creates_reads_updates_deletes() {
        const accounts = (await open()).sobject("Account");
        const made = await accounts.create({ Name: "Pied Piper", BillingCountry: "US" });
        await accounts.update({ Id: made.id, BillingCity: "Palo Alto" });
        const read = await accounts.retrieve(made.id);
        await accounts.destroy(made.id);
        const gone = await accounts.retrieve(made.id).catch((error) => error.errorCode);
        return { made: made.success, read: [read.Name, read.BillingCity], gone };
    },
    async creates_many_and_pages_through_them() {
        const connection = await open();
        const rows = Array.from({ length: 250 }, (_, number) => ({ Name: `Mass ${String(number).padStart(4, "0")}` }));
        const made = await connection.sobject("Account").create(rows, { allowRecursive: true });
        const soql = "SELECT Name FROM Account WHERE Name LIKE 'Mass %' ORDER BY Name";
        const first = await connection.query(soql, { headers: { "Sforce-Query-Options": "batchSize=200" } });
        const second = await connection.queryMore(first.nextRecordsUrl);
        const all = await connection.query(soql, { autoFetch: true, maxFetch: 1000 });
        return {
            made: made.filter((each) => each.success).length,
            pages: [first.records.length, second.records.length],
            done: [first.done, second.done],
            distinct: new Set(all.records.map((row) => row.Name)).size,
        };
    },
    async reads_children_with_their_parent() {
        const connection = await open();
        const account = await connection.sobject("Account").create({ Name: "Parent" });
        const base = { AccountId: account.id, StageName: "Prospecting", CloseDate: "2027-01-31" };
        await connection.sobject("Opportunity").create([1, 2].map((number) => ({ ...base, Name: `Child ${number}` })));
        const soql = `SELECT Name, (SELECT Name FROM Opportunities ORDER BY Name) FROM Account WHERE Id = '${account.id}'`;
        const [row] = (await connection.query(soql)).records;
        return [row.Name, ...row.Opportunities.records.map((child) => child.Name)];
    },
    async upserts_by_external_id() {
        const accounts = (await open()).sobject("Account");
        const key = { Enfilade_Id__c: "cus_jsforce" };
        const first = await accounts.upsert({ ...key, Name: "First" }, "Enfilade_Id__c");
        const second = await accounts.upsert({ ...key, Name: "Second" }, "Enfilade_Id__c");
        const [row] = await accounts.find(key, ["Name"]);
        return { created: [first.created, second.created], name: row.Name };
    },
    async describes() {
        const connection = await open();
        const described = await connection.sobject("Opportunity").describe();
        const stage = described.fields.find((field) => field.name === "StageName");
        const all = await connection.describeGlobal();
        return {
            type: stage.type,
            won: stage.picklistValues.some((value) => value.value === "Closed Won"),
            listed: all.sobjects.some((sobject) => sobject.name === "Account"),
        };
    },
    async loads_in_bulk() {
        const connection = await open();
        const input = [1, 2, 3].map((number) => ({ Name: `Bulk ${number}` }));
        const loaded = await connection.bulk2.loadAndWaitForResults({
            object: "Account", operation: "insert", input, pollTimeout: 60000, pollInterval: 200,
        });
        const stream = await connection.bulk2.query("SELECT Name FROM Account WHERE Name LIKE 'Bulk %'", {
            pollTimeout: 60000, pollInterval: 200,
        });
        const names = (await stream.toArray()).map((row) => row.Name).sort();
        return { loaded: loaded.successfulResults.length, failed: loaded.failedResults.length, names };
    },
    async is_refused_in_the_vendors_words() {
        const connection = await open();
        const code = (error) => error.errorCode ?? error.name;
        return {
            field: await connection.query("SELECT Nothing__c FROM Account").catch(code),
            required: await connection.sobject("Account").create({ BillingCity: "Nowhere" }).catch(code),
        };
    },
    async renews_a_dead_session() {
        const connection = await open({
            refreshFn: async (dead, done) => {
                const fresh = await open();
                done(null, fresh.accessToken);
            },
        });
        const first = connection.accessToken;
        await connection.oauth2.revokeToken(first);
        const rows = (await connection.query("SELECT Id FROM Account LIMIT 1")).records.length;
        return { rows, same: connection.accessToken === first };
    },
    async logs_in_by_jwt() {
        const { createSign } = await import("node:crypto");
        const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
        const claims = {
            iss: env.SALESFORCE_CLIENT_ID, sub: env.SALESFORCE_USERNAME, aud: "https://login.salesforce.com",
            exp: Math.floor(Date.now() / 1000) + 120,
        };
        const signed = `${encode({ alg: "RS256" })}.${encode(claims)}`;
        const key = readFileSync(env.SALESFORCE_PRIVATE_KEY_FILE);
        const assertion = `${signed}.${createSign("RSA-SHA256").update(signed).sign(key, "base64url")}`;
        const connection = new jsforce.Connection({ oauth2: { ...oauth2, loginUrl: "https://login.salesforce.com" } });
        await connection.authorize({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
        return connection.instanceUrl === myDomain;
    },
});
