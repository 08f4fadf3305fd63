// The ordinary operations of netsuite-rest (npm), one function each. It speaks to `base_url`.

import NetsuiteRest from "netsuite-rest";

import { tell } from "./telling.mjs";

const env = process.env;
const client = new NetsuiteRest({
    consumer_key: env.NETSUITE_CONSUMER_KEY,
    consumer_secret_key: env.NETSUITE_CONSUMER_SECRET,
    token: env.NETSUITE_TOKEN_ID,
    token_secret: env.NETSUITE_TOKEN_SECRET,
    realm: env.NETSUITE_ACCOUNT,
    base_url: env.NETSUITE_BASE_URL,
});
const heads = { "content-type": "application/json" };
const send = (method, path, body) => client.request({ path, method, body: JSON.stringify(body), heads });
const refused = (error) => [error.response?.statusCode, JSON.parse(error.response.body)["o:errorDetails"][0]["o:errorCode"]];

await tell({
    async keeps_a_customer() {
        const path = "record/v1/customer/eid:cus_node";
        const fields = { companyName: "Globex Corporation", subsidiary: { id: "3" }, currency: { id: "2" } };
        const made = await send("PUT", path, fields);
        await send("PATCH", path, { email: "pay@globex.example" });
        const read = (await client.request({ path })).data;
        const removed = await client.request({ path, method: "DELETE" });
        const gone = await client.request({ path }).catch(refused);
        return { made: made.statusCode, read: [read.companyName, read.email], removed: removed.statusCode, gone };
    },
    async asks_by_suiteql() {
        const names = [];
        for (const number of [1, 2, 3]) {
            await send("POST", "record/v1/customer", { companyName: `Node ${number}`, subsidiary: { id: "3" } });
        }
        const q = "SELECT id, companyname FROM customer WHERE companyname LIKE 'Node %' ORDER BY companyname";
        let path = "query/v1/suiteql?limit=2";
        const more = [];
        while (path) {
            const page = (await send("POST", path, { q })).data;
            names.push(...page.items.map((row) => row.companyname));
            more.push(page.hasMore);
            path = page.hasMore ? `query/v1/suiteql?limit=2&offset=${page.offset + page.count}` : "";
        }
        return { names, more };
    },
    async is_refused_in_the_vendors_words() {
        return {
            unknown: await send("POST", "record/v1/customer", { companyNam: "x", subsidiary: { id: "3" } }).catch(refused),
            long: await send("POST", "record/v1/customer", { companyName: "x".repeat(84), subsidiary: { id: "3" } }).catch(refused),
            sql: await send("POST", "query/v1/suiteql", { q: "SELECT nothing FROM customer" }).catch(refused),
        };
    },
});
