"""tests/gateway: the feed behind a server of its own, which leaves a file when a stream has stopped."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from tests.gateway.deployment import Deployment
from tests.gateway.feed import FeedTier, mounted


class ReportingTier(FeedTier):
    """Its stopped exports leave a file, for whoever is in another process."""

    async def export_topic(self, topic: str, rows: int = 3) -> AsyncIterator[bytes]:
        return self._reported(topic, await super().export_topic(topic, rows))

    async def _reported(self, topic: str, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in pieces:
                yield piece
        finally:
            (Path(os.environ["ISSUER_FOLDER"]) / f"{topic}.stopped").touch()


app = Deployment(Path(os.environ["ISSUER_FOLDER"]), apis=(mounted(ReportingTier()),)).gateway
