"""tests/newcomer: README and guides, followed by someone who has nothing else."""
