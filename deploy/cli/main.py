"""deploy: the command line `enfilade`: imports the module of the requested command and runs it."""

import argparse
import difflib
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from types import ModuleType
from typing import Any, NoReturn

from deploy.console import lenient, print_errors
from deploy.errors import FAILED, MISUSED, OK, CommandError
from kit.secrets import SecretError
from kit.settings import SettingsError
from kit.texts import visible

COMMANDS = {
    "up": "start everything on this machine, run the demo, and keep serving",
    "down": "stop what `up` started",
    "init": "write a configuration folder for a firm",
    "demo": "run the demo again on a running stack",
    "serve": "run a deployment, or some of its tiers, from environment settings",
    "sandbox": "run one stand-in vendor",
    "token": "print a development token",
    "issuer": "list or rotate the embedded issuer's keys; print a client's secret",
    "trace": "show the whole path of one correlation id",
    "keys": "create and revoke API keys of consumers; revoke tokens",
    "consumers": "list, register, suspend and resume consumers; show their usage",
    "plans": "show the plans on which an API can be called",
    "subscriptions": "request, approve, reject and cancel subscriptions to APIs",
    "policy": "show the current policy, explain its effect on a request, check policy files",
    "exceptions": "list, show and resolve business cases that wait for a person",
    "duties": "show duties, their holders and conflicts",
    "audit": "read, verify and export the audit trail",
    "privacy": "export or erase the data about a person",
    "retention": "show retention periods, delete expired data, place legal holds",
    "views": "list the views that screens read, rebuild one from the events",
    "backup": "write the database to a file",
    "restore": "restore the database from a backup",
    "vendor": "write the skeleton of a new vendor",
    "instance": "check a vendor's account against its profile",
    "contracts": "check or freeze the API documents",
    "doctor": "check this installation and its configuration; print a remedy for each fault",
}
INTRODUCTION = """\
Enfilade: system, process and experience APIs behind one gateway.

Start with `enfilade up`: it needs nothing installed beside this package.
Options and examples of a command: `enfilade COMMAND --help`.
"""
_OPTION = re.compile(r"(?<![\w-])--[a-z-]+")
EXIT_STATUSES = """\
exit statuses of every command:
  0  success          1  failure, with the reason in one sentence          2  wrong arguments or settings
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    lenient(sys.stdout, sys.stderr)
    try:
        status = _ended(given)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of the output has closed the pipe; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    return status


def _ended(given: list[str]) -> int:
    try:
        return _run(given)
    except SystemExit as ended:  # argparse exits after help and after a usage error
        return ended.code if isinstance(ended.code, int) else OK
    except Exception as error:
        sentence = _store_fault(error)
        if sentence is None:
            raise
        print_errors(sentence)
        return FAILED


def _run(given: list[str]) -> int:
    chosen = next((word for word in given if word in COMMANDS), None)
    # Only the chosen command is imported: most others would load the whole deployment first.
    module = importlib.import_module(f"deploy.cli.commands.{chosen}") if chosen else None
    parser, command = _parsers(chosen, module)
    options, unknown = parser.parse_known_args(given)
    (command or parser).refuse_unknown(unknown)
    if module is None or chosen is None:
        parser.print_help()
        return OK if not given else MISUSED
    if command is not None and hasattr(module, "TAKES"):
        command.refuse_foreign(options, module.TAKES)
    try:
        return module.run(options)
    except CommandError as error:
        print_errors(str(error))
        return error.status
    except (SettingsError, SecretError) as error:
        print_errors("The settings are invalid:")
        print_errors(*(f"  {fault}" for fault in getattr(error, "faults", [str(error)])))
        return MISUSED
    except UnicodeEncodeError:
        if all(map(_is_text, given)):
            raise
        print_errors("An argument is not valid UTF-8: remove the invalid bytes.")
        return MISUSED
    except KeyboardInterrupt:
        print_errors("Stopped.")
        return FAILED


def _store_fault(error: Exception) -> str | None:
    """The sentence about a store that does not do what was asked; None for any other error."""
    # Imported after the fact: most commands need neither driver nor engine.
    from kit.database.refusals import sentence_of  # noqa: PLC0415

    return sentence_of(error)


def _is_text(argument: str) -> bool:
    return argument == argument.encode(errors="replace").decode()


class _Parser(argparse.ArgumentParser):
    """A parser that quotes a wrong argument literally, and names what may have been meant."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        choices = [str(each) for each in action.choices]
        said = f"{value!r} is none of {', '.join(choices)}"
        raise argparse.ArgumentError(action, _meant(str(value), choices) or said)

    def refuse_unknown(self, unknown: Sequence[str]) -> None:
        """Exit with the usage where something was given that the command does not take."""
        if unknown:
            options = _OPTION.findall(self.format_help())
            self.error(_meant(unknown[0], options) or f"unrecognized arguments: {' '.join(unknown)}")

    def refuse_foreign(self, options: argparse.Namespace, takes: Mapping[str, str]) -> None:
        """Exit with the usage of the chosen action where an argument was given that only others take.

        `takes` names the arguments of each action; what it names for none, all actions take.
        """
        chosen = next(each for each in self._actions if not each.option_strings and each.choices)
        action: str = getattr(options, chosen.dest)
        others = set(" ".join(takes.values()).split()) - set(takes[action].split())
        given = [
            each
            for each in self._actions
            if each.dest in others and getattr(options, each.dest) not in (each.default, None, [])
        ]
        if not given:
            return
        prog = f"{self.prog} {action}"
        usage = argparse.HelpFormatter(prog)
        taken = [each for each in self._actions if each is not chosen and each.dest not in others]
        usage.add_usage(None, taken, [])
        names = ", ".join("/".join(each.option_strings) or str(each.metavar) for each in given)
        self.exit(MISUSED, f"{usage.format_help()}{prog}: error: takes no {names}\n")


def _meant(given: str, choices: Sequence[str]) -> str:
    """A sentence with the choice that is most like what was given; empty where none is."""
    close = difflib.get_close_matches(given.partition("=")[0], choices, 1, cutoff=0.7)
    return f"there is no {given!r}: did you mean {close[0]!r}?" if close else ""


def _parsers(chosen: str | None, module: ModuleType | None) -> tuple[_Parser, _Parser | None]:
    """The parser of the command line, and that of the chosen command."""
    parser = _Parser(
        prog="enfilade",
        description=INTRODUCTION,
        epilog=EXIT_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"enfilade {metadata.version('enfilade')}")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", dest="command")
    configured = None
    for name, sentence in COMMANDS.items():
        command = commands.add_parser(name, help=sentence)
        if name == chosen and module is not None:
            configured = command
            command.description = module.DESCRIPTION
            command.epilog = f"{module.EPILOG}\n{EXIT_STATUSES}"
            command.formatter_class = argparse.RawDescriptionHelpFormatter
            module.configure(command)
    return parser, configured


if __name__ == "__main__":
    sys.exit(main())
