"""What happened: the envelope, and one Struct per kind of event."""
