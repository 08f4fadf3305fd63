"""The catalogue's pages: plain HTML, one style, nothing fetched from anywhere."""

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import Any

from gateway.catalogue import shapes

_STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of every page: no script, nothing from elsewhere, no framing."""

_TIERS = {
    "experience": ("Experience", "What screens, portals and partners call."),
    "process": ("Process", "Business flows, durable and observable."),
    "system": ("System", "Governed access to one vendor instance, in one canonical language."),
    "gateway": ("Gateway", "The gateway's own administration."),
}


def page(title: str, body: str) -> str:
    """A whole page; the body is HTML already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} · Enfilade</title><style>{_STYLE}</style></head><body>"
        '<header><a class="mark" href="/apis"><span></span><span></span><span></span>Enfilade</a>'
        '<nav><a href="/apis">APIs</a><a href="/apis/problems">Problems</a></nav></header>'
        f"<main>{body}</main></body></html>"
    )


def catalogue_page(apis: list[dict[str, Any]], retired: list[dict[str, Any]]) -> str:
    """All APIs by tier, and those that were retired."""
    sections = "".join(
        _tier(tier, [api for api in apis if api["tier"] == tier])
        for tier in _TIERS
        if any(api["tier"] == tier for api in apis)
    )
    return page(
        "APIs",
        "<h1>APIs</h1><p class=lead>Three tiers behind one gateway.</p>" + sections + _retired(retired),
    )


def _tier(tier: str, apis: list[dict[str, Any]]) -> str:
    title, sentence = _TIERS[tier]
    cards = "".join(
        f'<a class=card href="{escape(api["page"])}">'
        f"<h3>{escape(api['name'])} <small>v{api['version']}</small></h3>"
        f"<p>{escape(api['summary'])}</p><p class=meta>{_count(api['operations'])}"
        f"{' · ' + escape(', '.join(api['instances'])) if api['instances'] else ''}"
        f"{' · open to partners' if 'outside' in api['audiences'] else ''}"
        f"{' · ' + escape(api['status']) if api['status'] != 'published' else ''}</p></a>"
        for api in apis
    )
    return f"<section><h2>{title}</h2><p>{sentence}</p><div class=cards>{cards}</div></section>"


def _retired(apis: list[dict[str, Any]]) -> str:
    rows = "".join(f"<li><code>{escape(api['api'])}</code> {_life(api)}" for api in apis)
    return f"<section><h2>Retired</h2><ul>{rows}</ul></section>" if rows else ""


def _life(api: dict[str, Any]) -> str:
    """A version's lifecycle in words, empty for a published one."""
    if api["status"] == "published":
        return ""
    parts = [f"<b>{escape(api['status'])}</b> since {escape(api['since'])}"]
    if "sunset" in api and api["status"] == "deprecated":
        parts.append(f"served until {escape(api['sunset'])}")
    if "successor" in api:
        parts.append(f"its successor is at <code>{escape(api['successor'])}</code>")
    return f"<p class=meta>{', '.join(parts)}. Owner: {escape(api['owner'])}.</p>"


def _count(operations: int) -> str:
    return "1 operation" if operations == 1 else f"{operations} operations"


def api_page(summary: dict[str, Any], document: dict[str, Any]) -> str:
    """One API: its operations with their scopes, parameters and problems."""
    operations = "".join(
        _operation(method.upper(), path, operation, document)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    info = document["info"]
    return page(
        summary["api"],
        f"<h1>{escape(summary['api'])}</h1><p class=lead>{escape(summary['summary'])}</p>"
        f"{_life(summary)}<p>{escape(info.get('description', ''))}</p>"
        f"<p class=meta>Base <code>{escape(document['servers'][0]['url'])}</code> · "
        f'<a href="{escape(summary["openapi"])}">OpenAPI 3.1</a></p>{operations}',
    )


def _operation(method: str, path: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    components, server = document.get("components", {}), document["servers"][0]["url"]
    scopes = [scope for need in operation.get("security", ()) for names in need.values() for scope in names]
    facts = [
        *(f"scope <code>{escape(scope)}</code>" for scope in scopes),
        f"deadline {operation.get('x-deadline-seconds', 10):g} s",
        f"idempotency {escape(operation.get('x-idempotency', 'safe'))}",
    ]
    return (
        f'<article id="{escape(operation["operationId"])}"><h3><b class="{method.lower()}">{method}</b> '
        f"<code>{escape(path)}</code></h3><p>{escape(operation.get('summary', ''))}. "
        f"{escape(operation.get('description', ''))}</p><p class=meta>{' · '.join(facts)}</p>"
        f"{_parameters(operation.get('parameters', ()))}{shapes.body(operation, components)}"
        f"<details><summary>Answer, problems, a call to try</summary>{shapes.answer(operation, components)}"
        f"{_answers(operation['responses'])}{shapes.curl(method, server + path, operation)}"
        "</details></article>"
    )


def _parameters(parameters: Any) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(item['name'])}</code><td>{item['in']}"
        f"<td>{'required' if item.get('required') else 'optional'}"
        f"<td>{escape(shapes.kind(item['schema']))}</tr>"
        for item in parameters
    )
    return f"<table><tr><th>Parameter<th>In<th><th>Type</tr>{rows}</table>" if rows else ""


def _answers(responses: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{escape(status)}<td>{_codes(response) or escape(response.get('description', ''))}</tr>"
        for status, response in responses.items()
    )
    return f"<table><tr><th>Status<th></tr>{rows}</table>"


def _codes(response: dict[str, Any]) -> str:
    codes = response.get("x-problem-codes", ())
    return " ".join(
        f'<a href="/apis/problems/{escape(code)}"><code>{escape(code)}</code></a>' for code in codes
    )


def problems_page(problems: list[dict[str, Any]]) -> str:
    """Every problem code."""
    rows = "".join(
        f'<tr><td>{item["status"]}<td><a href="/apis/problems/{escape(item["code"])}">'
        f"<code>{escape(item['code'])}</code></a><td>{escape(item['title'])}"
        f"<td>{escape(item['actor'])}<td>{'yes' if item['retryable'] else 'no'}</tr>"
        for item in problems
    )
    head = "<tr><th>Status<th>Code<th>Meaning<th>Who acts<th>Send again</tr>"
    return page("Problems", f"<h1>Problems</h1><table>{head}{rows}</table>")


def problem_page(item: dict[str, Any]) -> str:
    """One problem code."""
    retry = (
        "The same request may be sent again."
        if item["retryable"]
        else "Sending the same again does not help."
    )
    return page(
        item["code"],
        f"<h1>{item['status']} <code>{escape(item['code'])}</code></h1>"
        f"<p class=lead>{escape(item['title'])}.</p>"
        f"<p>{escape(item['meaning'])}</p><p>What to do next: {escape(item['next_step'])}</p>"
        f"<p>Who must act: <b>{escape(item['actor'])}</b>. {retry}</p>",
    )
