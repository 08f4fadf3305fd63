"""The Salesforce stand-in's change notifications: events in Avro, the retained stream, the gRPC service."""
