"""The gateway: decides who may do what, how often, under which contract, and audits it."""
