"""The description of the REST API, against what it describes."""

import re

import msgspec
import pytest

from dapr_hero.contract.errors import Unavailable
from dapr_hero.contract.items import MAX_DESCRIPTION, MAX_ID
from dapr_hero.contract.kinds import KINDS, Kind
from dapr_hero.inventory import openapi
from dapr_hero.service import problems
from dapr_hero.service.problems import ServiceUnavailable

PATHS = openapi.DOCUMENT["paths"]
SCHEMAS = openapi.DOCUMENT["components"]["schemas"]
ERROR = {"schema": {"$ref": "#/components/schemas/ErrorBody"}}


@pytest.mark.parametrize("kind", KINDS, ids=[each.name for each in KINDS])
def test_each_kind_is_read_by_an_id_and_answers_with_an_item_or_an_error(kind: Kind) -> None:
    operation = PATHS[f"/v1/{kind.resource}/{{id}}"]["get"]
    [parameter] = operation["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("id", "path", True)
    assert (parameter["schema"]["minLength"], parameter["schema"]["maxLength"]) == (1, MAX_ID)
    contents = {code: each["content"]["application/json"] for code, each in operation["responses"].items()}
    assert contents.pop("200") == {"schema": {"$ref": "#/components/schemas/Item"}}
    assert contents == dict.fromkeys(("400", "404", "500", "503"), ERROR)


def test_there_are_no_other_paths_but_the_health() -> None:
    items = {f"/v1/{kind.resource}/{{id}}" for kind in KINDS}
    assert PATHS.keys() == items | {"/healthz", "/readyz"}
    assert PATHS["/healthz"]["get"]["responses"].keys() == {"200"}
    assert PATHS["/readyz"]["get"]["responses"].keys() == {"200", "503"}


def test_an_item_has_the_limits_of_the_contract() -> None:
    item = SCHEMAS["Item"]
    assert set(item["required"]) == item["properties"].keys() == {"id", "description", "price"}
    assert item["properties"]["id"]["maxLength"] == MAX_ID
    assert item["properties"]["description"]["maxLength"] == MAX_DESCRIPTION
    assert (item["properties"]["price"]["type"], item["properties"]["price"]["minimum"]) == ("number", 0)


def test_an_error_is_described_as_it_is_sent() -> None:
    sent = msgspec.to_builtins(problems.body(ServiceUnavailable(Unavailable("postgresql"))))
    described = SCHEMAS["ErrorBody"]
    assert sent.keys() == described["properties"].keys()
    assert set(described["required"]) == sent.keys() - {"details"}


def test_every_reference_leads_to_a_schema() -> None:
    names = re.findall(r"#/components/schemas/(\w+)", str(openapi.DOCUMENT))
    assert set(names) == SCHEMAS.keys()


def test_the_page_has_each_operation_with_its_answers_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"200": {"description": "<i>fine"}, "418": {"description": "teapot"}}
    operation = {"get": {"summary": "A & B", "responses": answers}}
    monkeypatch.setitem(PATHS, "/<b>", operation)
    page = openapi.page()
    assert page.count("<h2>") == len(PATHS)
    for path in PATHS.keys() - {"/<b>"}:
        assert f"<h2><code>GET {path}</code></h2>" in page
    assert (
        "<h2><code>GET /&lt;b&gt;</code></h2>A &amp; B<table>"
        "<tr><td><code>200</code><td>&lt;i&gt;fine<tr><td><code>418</code><td>teapot</table>"
    ) in page
