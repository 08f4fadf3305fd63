"""tests/newcomer: `python -m tests.newcomer` does what README and the guides say, as a newcomer would.

An ordinary user, a fresh clone in a folder with a space and an umlaut, Python with venv and make; neither
uv nor npm nor a database. Every command that README, the guides and the reference show is run as written.
Without root, which it takes to be another user, the present one does it.
Exit status 0, or 1 with the command that failed and all that it printed.
"""

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.newcomer.documents import Command, commands
from tests.newcomer.person import FollowError, Person

ROOT = Path(__file__).parents[2]
USER = "enfilade-newcomer"
SERVES = "Serving until Ctrl-C"
# As the demo prints them, to be copied.
TOKEN = re.compile(r"^([A-Z_]+)=(ey\S+)$", re.MULTILINE)
CALL = re.compile(r"^curl .*$", re.MULTILINE)
# What `make test` is told beside: the whole suite runs elsewhere.
SAMPLE = "tests/guides tests/architecture/test_words.py"


def main() -> int:
    """Do everything, and remove it again."""
    home = Path(tempfile.mkdtemp(prefix="newcomer-"))
    try:
        follow(Person(home, clone(home), user()))
    except FollowError as failure:
        sys.stderr.write(f"\n{failure}\n")
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write("1 passed, 0 failed\n")
    return 0


def follow(person: Person) -> None:
    """README's two commands, and in between every command of the documents, on the running deployment."""
    with person.started("make run", SERVES) as greeting:
        person.variables.update(TOKEN.findall(greeting))
        for call in CALL.findall(greeting):
            person.run(call)
        person.values["ID"] = greeting.partition("correlation id ")[2].split()[0]
        for command in commands(person.tree):
            if command.serves:
                with person.started(command.text, command.serves):
                    pass
            else:
                obey(person, command)
    person.run(f'make test ARGS="{SAMPLE}"')
    if left := person.processes():
        raise FollowError("processes are left behind", "\n".join(left))


def obey(person: Person, command: Command) -> None:
    """Run it; the id that it prints is that of a later command."""
    printed = person.run(command.text)
    person.values.update(command.learn(printed))


def user() -> pwd.struct_passwd | None:
    """An ordinary user, made if need be; None without the rights for it."""
    if os.geteuid() != 0:
        return None
    if subprocess.run(["id", USER], capture_output=True, check=False).returncode != 0:
        subprocess.run(["useradd", "--system", "--shell", "/bin/bash", USER], check=True)
    return pwd.getpwnam(USER)


def clone(home: Path) -> Path:
    """The committed state, in a folder whose name has a space and an umlaut."""
    tree = home / "Enfilade für Neue"
    subprocess.run(["git", "-c", "safe.directory=*", "clone", "-q", "--no-hardlinks", ROOT, tree], check=True)
    return tree


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
