"""The workshop: flows that coordinate the systems, and the read models that tell where things stand."""
