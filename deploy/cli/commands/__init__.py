"""deploy: a module per command of `enfilade`: DESCRIPTION, EPILOG, configure, run."""
