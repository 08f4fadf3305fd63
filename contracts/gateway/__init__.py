"""What the gateway itself offers to those who operate it."""
