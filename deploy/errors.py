"""deploy: the failure of a command."""

OK, FAILED, MISUSED = 0, 1, 2


class CommandError(Exception):
    """A command fails; its text is one sentence with the reason and what to do next."""

    def __init__(self, sentence: str, status: int = FAILED) -> None:
        super().__init__(sentence)
        self.status = status
