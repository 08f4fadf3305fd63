"""deploy: the skeleton of a vendor: its connector in the fixed shape and its stand-in, to be filled in."""

import re
from keyword import iskeyword
from pathlib import Path
from string import Template

from deploy.cli.vendor_skeleton.signatures import imports_of, unwritten_methods
from deploy.errors import CommandError
from kit.operations import bind
from sandbox.core import console
from sandbox.folders import default_port
from sandbox.folders import vendors as stand_ins
from system_apis.app import interface_of, vendors

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .&-]{0,29}")
_FIRST_PORT = 9101
_DEAL = """
async def _deal(account: Any, **fields: Any) -> tuple[str, str]:
    return await new_deal(CONSOLE(account), **fields)

"""


def write_skeleton(into: Path, name: str, title: str, capability: str) -> list[Path]:
    """The files written under a folder; raises CommandError for a name that is none, or is taken."""
    if not _NAME.fullmatch(name) or iskeyword(name):
        raise CommandError(
            f"{name!r} is no name of a vendor: 2 to 20 small letters and digits, a letter first,"
            " and no keyword of Python."
        )
    if not _TITLE.fullmatch(title):
        raise CommandError(f"{title!r} is no title: up to 30 plain characters.")
    places = [into / "system_apis/vendors" / name, into / "sandbox" / name]
    if name in {*vendors(), *stand_ins()} or any(place.exists() for place in places):
        raise CommandError(f"There is a vendor {name} already: choose another name, or work on that one.")
    values = _values(name, title, capability)
    written = []
    for template in sorted(_TEMPLATES.rglob("*.tmpl")):
        path = into / Template(str(template.relative_to(_TEMPLATES))).substitute(values)
        path = path.with_suffix("")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(template.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
        written.append(path)
    return written


def _values(name: str, title: str, capability: str) -> dict[str, str]:
    """What the templates name."""
    interface = interface_of(capability)
    nouns = _nouns(interface)
    screens = getattr(console, f"{capability.capitalize()}Console", None)
    deals = hasattr(screens, "create_deal")
    adapter = f"{name.capitalize()}{interface.__name__}"
    sandbox = f"{name.capitalize()}Console"
    return {
        "name": name,
        "NAME": name.upper(),
        "Name": name.capitalize(),
        "title": title,
        "capability": capability,
        "interface": f"{interface.__module__}.{interface.__name__}",
        "Adapter": adapter,
        "adapter_imports": imports_of(
            interface,
            **{f"{name.capitalize()}Client": f"system_apis.vendors.{name}.client"},
        ),
        "adapter_methods": unwritten_methods(interface),
        "Console": sandbox,
        "console_imports": imports_of(screens, Console="sandbox.core.console"),
        "console_methods": f"\n\n{unwritten_methods(screens)}" if screens else "",
        "tables": _tuple([f"{noun}s" for noun in nouns] or ["records"]),
        "nouns": _stand_nouns(nouns) + ("    deal=_deal,\n" if deals else ""),
        "stand_imports": _stand_imports(name, nouns=bool(nouns), deals=deals),
        "stand_deal": _DEAL if deals else "",
        "port": str(max((default_port(one) for one in stand_ins()), default=_FIRST_PORT - 1) + 1),
    }


def _nouns(interface: type) -> list[str]:
    """What the capability creates under a key."""
    return [
        bound.name.removeprefix("put_")
        for bound in bind(interface)
        if bound.operation.method == "PUT" and bound.operation.path.endswith("/by-key/{key}")
    ]


def _stand_imports(name: str, *, nouns: bool, deals: bool) -> str:
    lines = [
        f"from sandbox.core.stand import {'Noun, Stand' if nouns else 'Stand'}",
        f"from sandbox.{name}.golden import GOLDEN",
    ]
    if not deals:
        return _sorted_lines(*lines)
    lines += ["from sandbox.core.console import new_deal", f"from sandbox.{name}.console import CONSOLE"]
    return f"from typing import Any\n\n{_sorted_lines(*lines)}\n"


def _sorted_lines(*lines: str) -> str:
    return "\n".join(sorted(lines))


def _tuple(texts: list[str]) -> str:
    quoted = ", ".join(f'"{text}"' for text in texts)
    return f"({quoted},)" if len(texts) == 1 else f"({quoted})"


def _stand_nouns(nouns: list[str]) -> str:
    lines = [f'        "{noun}": Noun("{noun}s", ("PUT", "/{noun}s/by-key/")),\n' for noun in nouns]
    joined = "".join(lines)
    return f"    nouns={{\n{joined}    }},\n" if lines else ""
