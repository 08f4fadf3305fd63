// salesforce-pubsub-api-client: subscribes to the changes of opportunities, as programs in Node do. It has certificates
// of its own, so the stand-in's self-signed one is accepted by the client's own option for that.

import jsforce from "jsforce";
import PubSubApiClient from "salesforce-pubsub-api-client";

import { tell } from "./telling.mjs";

const env = process.env;
const TOPIC = "/data/OpportunityChangeEvent";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const connection = new jsforce.Connection({
    oauth2: { clientId: env.SALESFORCE_CLIENT_ID, clientSecret: env.SALESFORCE_CLIENT_SECRET, loginUrl: env.SALESFORCE_MY_DOMAIN_URL },
    instanceUrl: env.SALESFORCE_MY_DOMAIN_URL,
});
await connection.authorize({ grant_type: "client_credentials" });

async function open() {
    const client = new PubSubApiClient({
        authType: "oauth-client-credentials",
        loginUrl: env.SALESFORCE_LOGIN_URL,
        clientId: env.SALESFORCE_CLIENT_ID,
        clientSecret: env.SALESFORCE_CLIENT_SECRET,
        pubSubEndpoint: env.SALESFORCE_PUBSUB_TLS_ENDPOINT,
        rejectUnauthorizedSsl: false,
    }, quiet);
    await client.connect();
    return client;
}

// Subscribes, and resolves with the events once `enough` says so; `meanwhile` runs beside it.
function gather(subscribe, enough, meanwhile = async () => {}) {
    return new Promise((resolve, reject) => {
        const events = [];
        subscribe((subscription, kind, data) => {
            if (kind === "error") reject(data);
            if (kind !== "event") return;
            events.push(data);
            if (enough(events)) resolve(events);
        });
        meanwhile(events).catch(reject);
    });
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const about = (id) => (event) => event.payload.ChangeEventHeader.recordIds.includes(id);
const shown = ({ payload }) => ({
    type: payload.ChangeEventHeader.changeType,
    changed: payload.ChangeEventHeader.changedFields.filter((name) => ["StageName", "Name"].includes(name)),
    stage: payload.StageName ?? null,
    one: payload.ChangeEventHeader.recordIds.length,
});
const opportunities = connection.sobject("Opportunity");
const deal = { StageName: "Prospecting", CloseDate: "2027-01-31" };
let replayId;
let made = { id: "none" };

await tell({
    async is_told_of_changes() {
        const client = await open();
        const events = await gather(
            (told) => client.subscribe(TOPIC, told),
            (events) => events.filter(about(made.id)).length === 2,
            async (events) => {
                // A subscription begins at the latest event: it stands once it has told of a change.
                while (!events.length) {
                    await opportunities.create({ Name: "Is anybody there?", ...deal });
                    await pause(200);
                }
                made = await opportunities.create({ Name: "By Node", ...deal });
                await opportunities.update({ Id: made.id, StageName: "Closed Won" });
            },
        );
        client.close();
        const own = events.filter(about(made.id));
        replayId = own[0].replayId;
        return own.map(shown);
    },
    async goes_on_behind_a_replay_id() {
        const client = await open();
        const events = await gather((told) => client.subscribeFromReplayId(TOPIC, told, 1, replayId), (all) => all.length === 1);
        client.close();
        return events.map(shown);
    },
    async reads_all_that_is_retained() {
        const client = await open();
        const events = await gather((told) => client.subscribeFromEarliestEvent(TOPIC, told, 2), (all) => all.length === 2);
        client.close();
        return events.map((event) => shown(event).type);
    },
});
