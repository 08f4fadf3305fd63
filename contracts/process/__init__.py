"""What the firm's flows promise: one interface per flow."""
