"""deploy/embedded: the one failure of this package, a sentence for the person who started it."""


class EmbeddedError(Exception):
    """An embedded server cannot start or has died; its text is one sentence that says why and what to do."""
