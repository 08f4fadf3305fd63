"""bench: one way to answer a read: its request, and the processes whose processor time it costs."""

from dataclasses import dataclass, field

from bench.processes import Process


@dataclass(frozen=True, slots=True)
class Contender:
    """A server, its request, and the processes that work for it beside its own."""

    name: str
    path: str
    process: Process
    headers: dict[str, str] = field(default_factory=dict)
    beside: tuple[int, ...] = ()

    @property
    def url(self) -> str:
        return self.process.url + self.path

    @property
    def pids(self) -> tuple[int, ...]:
        """All processes that work for it: its own, and those of its stores."""
        return (self.process.pid, *self.beside)
