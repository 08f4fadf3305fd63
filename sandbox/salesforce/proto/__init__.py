"""The Salesforce stand-in's generated gRPC code: written by generate.py beside it."""
