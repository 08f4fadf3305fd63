"""deploy: how a deployment is composed and started; only it and bench may import all others."""
