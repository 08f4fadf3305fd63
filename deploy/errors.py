"""deploy: what a command says when it cannot do what was asked."""

OK, FAILED, MISUSED = 0, 1, 2


class CommandError(Exception):
    """A command stops; its text is one sentence that says why and what to do next."""

    def __init__(self, sentence: str, status: int = FAILED) -> None:
        super().__init__(sentence)
        self.status = status
