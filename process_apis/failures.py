"""What the steps of every flow share."""

# What was read longer ago is read again before an effect rests on it: somebody may have thought meanwhile.
FRESH_SECONDS = 10.0

# What every draft may carry beside fields that somebody owns: what they are made of, and the firm's own.
UNOWNED = frozenset({"lines", "custom", "currency", "pricing_model", "service_line", "region"})
