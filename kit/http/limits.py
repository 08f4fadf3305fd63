"""What a vendor allows one account, as the instance's profile states it."""

import msgspec


class AllowanceLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The limits of one allowance. Zero means that the vendor sets no such limit.

    `concurrency` counts calls in flight over all processes, of which `reserve_interactive` are reserved for
    people's calls. `per_window` counts the calls of each `window_seconds`. `daily` is the allowance assumed
    until the vendor reports it, of which `reserve_daily` is reserved for people; `recheck_seconds` is for
    how long it counts as used up before the vendor is asked again.
    """

    concurrency: int = 0
    reserve_interactive: int = 0
    per_second: int = 0
    per_window: int = 0
    window_seconds: int = 10
    daily: int = 0
    reserve_daily: int = 0
    recheck_seconds: float = 300.0

    def __post_init__(self) -> None:
        if self.concurrency and self.reserve_interactive >= self.concurrency:
            raise ValueError("reserve_interactive leaves no slot for batch work")
        if self.daily and self.reserve_daily >= self.daily:
            raise ValueError("reserve_daily leaves no call for batch work")
        if self.window_seconds <= 0:
            raise ValueError("window_seconds is a number of seconds above zero")


class Limits(AllowanceLimits, frozen=True, forbid_unknown_fields=True):
    """The limits of all calls of an instance, and how patient each call is."""

    timeout_seconds: float = 30.0
    attempts: int = 3
    backoff_seconds: float = 0.25
