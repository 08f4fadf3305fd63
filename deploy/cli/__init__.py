"""deploy/cli: the command line `enfilade`."""
