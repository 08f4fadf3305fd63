"""The embedded issuer, served: its keys, its people, its token endpoint and its sign-in page."""
