"""The policies: one module each, its behaviour beside its settings; none knows another."""
