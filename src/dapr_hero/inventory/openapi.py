"""The description of the REST API: /openapi.json, and an HTML page at /docs."""

from html import escape
from typing import Any

import msgspec

from dapr_hero.contract.error_body import ErrorBody
from dapr_hero.contract.items import MAX_DESCRIPTION, MAX_ID
from dapr_hero.contract.kinds import KINDS

RESOURCES = tuple(kind.resource for kind in KINDS)
_SUMMARY = f"Items by id: {', '.join(RESOURCES)}."

_ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_ID}
_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["id", "description", "price"],
    "properties": {
        "id": _ID,
        "description": {"type": "string", "maxLength": MAX_DESCRIPTION},
        "price": {"type": "number", "minimum": 0, "description": "An exact decimal of up to 15 digits"},
    },
}
_ERRORS = {
    "400": "The id is empty or longer than 256 characters",
    "404": "There is no such item",
    "503": "A dependency is down or too slow; try again",
    "500": "Internal error; details are in the log",
}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _get(summary: str, answers: dict[str, Any], parameters: list[Any] | None = None) -> dict[str, Any]:
    operation = {"summary": summary, "responses": answers}
    return {"get": {**operation, "parameters": parameters} if parameters else operation}


def _document() -> dict[str, Any]:
    _, components = msgspec.json.schema_components([ErrorBody], ref_template="#/components/schemas/{name}")
    error = {"$ref": "#/components/schemas/ErrorBody"}
    failures = {code: _answer(text, error) for code, text in _ERRORS.items()}
    item = {"200": _answer("The item", {"$ref": "#/components/schemas/Item"})}
    id_parameter = {"name": "id", "in": "path", "required": True, "schema": _ID}
    anything = {"type": "object"}
    paths = {
        f"/v1/{name}/{{id}}": _get(f"One of the {name}, by its id", {**item, **failures}, [id_parameter])
        for name in RESOURCES
    }
    paths["/healthz"] = _get("Is the process alive?", {"200": _answer("It is", anything)})
    paths["/readyz"] = _get(
        "Can it take requests, and which dependency answers?",
        {
            "200": _answer("It can", anything),
            "503": _answer("It is shutting down or has no sidecar", anything),
        },
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dapr-hero inventory",
            "version": "1",
            "description": _SUMMARY,
        },
        "paths": paths,
        "components": {"schemas": {**components, "Item": _ITEM}},
    }


DOCUMENT = _document()

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>inventory API</title>
<style>body{{font:16px/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#1c2733}}
code{{background:#eef2f7;padding:.1rem .35rem;border-radius:4px}}h2{{margin:2rem 0 .3rem;font-size:1.05rem}}
td{{padding:.1rem 1rem .1rem 0}}</style>
<h1>inventory</h1><p>{summary} Every error is JSON with
<code>type</code>, <code>code</code> and <code>message</code>. Machine-readable:
<a href="/openapi.json">/openapi.json</a>.
Also: <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a>.</p>
{operations}"""


def page() -> str:
    """Return the document as one HTML page without external resources."""
    return _PAGE.format(
        summary=escape(_SUMMARY),
        operations="".join(_operation(path, each["get"]) for path, each in DOCUMENT["paths"].items()),
    )


def _operation(path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{code}</code><td>{escape(answer['description'])}"
        for code, answer in operation["responses"].items()
    )
    return f"<h2><code>GET {escape(path)}</code></h2>{escape(operation['summary'])}<table>{rows}</table>"
