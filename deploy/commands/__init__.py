"""deploy/commands: a module per command of `enfilade`: DESCRIPTION, EPILOG, configure, run."""
