"""The catalogue's pages: plain HTML, one style, nothing fetched from anywhere."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from gateway.catalogue import shapes

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of every page: no script, nothing from elsewhere, no framing."""

_TIERS = {
    "experience": ("Experience", "What screens, portals and partners call."),
    "process": ("Process", "Business flows, durable and observable."),
    "system": ("System", "Governed access to one vendor instance, in one canonical language."),
    "gateway": ("Gateway", "The gateway's own administration."),
}
_templates = Environment(loader=FileSystemLoader(_FOLDER / "templates"), autoescape=True)
_templates.globals |= {"style": Markup(_STYLE), "tiers": _TIERS, "kind": shapes.kind}  # noqa: S704 - ours


def catalogue_page(apis: list[dict[str, Any]], retired: list[dict[str, Any]]) -> str:
    """All APIs by tier, and those that were retired."""
    return page("apis", "APIs", apis=apis, retired=retired)


def api_page(summary: dict[str, Any], document: dict[str, Any]) -> str:
    """One API: its operations with their scopes, parameters and problems."""
    operations = [
        _operation(method.upper(), path, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    server, description = document["servers"][0]["url"], document["info"].get("description", "")
    described = {"api": summary, "server": server, "description": description}
    return page("api", summary["api"], operations=operations, **described)


def problems_page(problems: list[dict[str, Any]]) -> str:
    """Every problem code."""
    return page("problems", "Problems", problems=problems)


def problem_page(item: dict[str, Any]) -> str:
    """One problem code."""
    return page("problem", item["code"], item=item)


def page(name: str, title: str, **shown: Any) -> str:
    """A page by the name of its template; what is shown is escaped."""
    return _templates.get_template(f"{name}.html").render(title=title, **shown)


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of an operation."""
    components, server = document.get("components", {}), document["servers"][0]["url"]
    status, answer = shapes.answer(operation, components)
    needs = operation.get("security", ())
    return {
        "id": operation["operationId"],
        "method": method,
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "scopes": [scope for need in needs for names in need.values() for scope in names],
        "deadline": format(operation.get("x-deadline-seconds", 10), "g"),
        "idempotency": operation.get("x-idempotency", "safe"),
        "parameters": operation.get("parameters", ()),
        "body": shapes.body(operation, components),
        "answer_status": status,
        "answer": answer,
        "responses": operation["responses"],
        "curl": shapes.curl(method, server + path, operation),
    }
