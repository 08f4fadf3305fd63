"""deploy/embedded: the one exception of this package, a sentence for the operator."""


class EmbeddedError(Exception):
    """An embedded server cannot start or has exited; the text has the reason and what to do."""
