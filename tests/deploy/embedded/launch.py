"""tests/deploy/embedded: a launcher in a process of its own, which a test may kill."""

import signal
import sys

from deploy.embedded import Embedded, EmbeddedError

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
try:
    servers = Embedded(sys.argv[1]).start()
except EmbeddedError as error:
    sys.exit(str(error))
print(servers.database_url, servers.cache_url, flush=True)  # noqa: T201 the test reads them
signal.sigwait({signal.SIGTERM})
servers.stop()
