"""bench: requests per second of the servers' processor time, in turns, for equal conditions."""

import statistics
from collections.abc import Callable, Sequence

import httpx
import msgspec

from bench import load
from bench.contender import Contender
from bench.processes import cpu_seconds

WARM_UP_SECONDS = 1.0


class Rates(msgspec.Struct, frozen=True):
    """The rounds of one contender, in requests per second of processor time and of wall-clock time."""

    name: str
    rounds: tuple[float, ...]
    by_the_clock: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def ratio_to(self, other: "Rates") -> float:
        """The ratio to another's rate, round by round, because both had the same conditions then."""
        return statistics.median(
            mine / theirs for mine, theirs in zip(self.rounds, other.rounds, strict=True)
        )

    @property
    def microseconds(self) -> float:
        """Processor time of one request."""
        return 1e6 / self.median


async def measure(
    contenders: Sequence[Contender], *, rounds: int, seconds: float, progress: Callable[[str], None]
) -> dict[str, Rates]:
    """Every contender in every round; raises RuntimeError when one does not answer with 200."""
    for contender in contenders:
        answer = await ask(contender)
        if not answer.is_success:
            raise RuntimeError(f"{contender.name} answers {answer.status_code}: {answer.text}")
        await _round(contender, min(seconds, WARM_UP_SECONDS))
    measured: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in contenders}
    for number in range(rounds):
        for contender in contenders:
            progress(f"round {number + 1} of {rounds}: {contender.name}")
            measured[contender.name].append(await _round(contender, seconds))
    return {name: Rates(name, *zip(*values, strict=True)) for name, values in measured.items()}


async def check_same(contenders: Sequence[Contender]) -> None:
    """Whether all give the same answer; raises RuntimeError, since nothing else would be worth comparing."""
    answers = {contender.name: (await ask(contender)).content for contender in contenders}
    first = next(iter(answers.values()))
    odd = [name for name, content in answers.items() if content != first]
    if odd:
        raise RuntimeError(f"{', '.join(odd)}: not the answer of {next(iter(answers))}")


async def _round(contender: Contender, seconds: float) -> tuple[float, float]:
    before = cpu_seconds(contender.pids)
    answered = await load.run(contender.url, contender.headers, seconds)
    used = cpu_seconds(contender.pids) - before
    if answered.bad or not answered.good:
        raise RuntimeError(
            f"{contender.name}: {answered.bad} requests of {answered} were not answered with 200"
        )
    # One tick is the resolution.
    return answered.good / max(used, 0.01), answered.good / seconds


async def ask(contender: Contender) -> httpx.Response:
    """One request, as the load generator sends it."""
    async with httpx.AsyncClient(trust_env=False) as http:
        return await http.get(contender.url, headers=contender.headers)
