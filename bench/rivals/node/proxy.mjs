// bench/rivals/node: a Fastify proxy in front of the bare handler: verified token, limit per consumer.
import { readFileSync } from "node:fs";
import jwt from "@fastify/jwt";
import proxy from "@fastify/http-proxy";
import rateLimit from "@fastify/rate-limit";
import Fastify from "fastify";

const { port, upstream, issuer, key, limit } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const app = Fastify({ logger: false });

await app.register(jwt, {
  secret: { public: key },
  // As the other gateways do, it remembers a token that it has verified.
  verify: { algorithms: ["RS256"], allowedIss: issuer, allowedAud: issuer, cache: 1000 },
});
app.addHook("onRequest", (request) => request.jwtVerify());
await app.register(rateLimit, {
  max: limit,
  timeWindow: 1000,
  hook: "preValidation",
  keyGenerator: (request) => request.user.client_id,
});
await app.register(proxy, { upstream });
await app.listen({ host: "127.0.0.1", port });
