"""The policy in force: the part of the firm's policy that flows read, replaced as a whole when it changes."""

from contracts.duties import Duties
from contracts.routing import Routing


class CurrentPolicy:
    """Routing and duties of one version of the policy; read it each time, since it may be replaced."""

    def __init__(self, routing: Routing, duties: Duties) -> None:
        self._now = (routing, duties)

    @property
    def routing(self) -> Routing:
        """Which instance serves which legal entity."""
        return self._now[0]

    @property
    def duties(self) -> Duties:
        """The pairs of duties that one person may not hold together."""
        return self._now[1]

    def replace(self, routing: Routing, duties: Duties) -> None:
        """Put another version in force, for all reads from now on."""
        self._now = (routing, duties)
