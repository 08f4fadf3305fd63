"""The Salesforce stand-in: Sales Cloud over REST and the Pub/Sub API, stateful and true to the wire."""

DEFAULT_PORT = 9101
OPTIONS = {
    "pubsub-port": "of the gRPC service of its events, in plain text; 0 picks a free one",
    "pubsub-tls-port": "of the same service with TLS; 0 picks a free one",
}
