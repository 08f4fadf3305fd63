"""The process tier: flows that coordinate the systems, and their read models."""
