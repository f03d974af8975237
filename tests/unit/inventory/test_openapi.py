from dapr_hero.contract.kinds import KINDS
from dapr_hero.inventory import openapi


def test_each_resource_has_a_path_with_every_answer() -> None:
    for kind in KINDS:
        operation = openapi.DOCUMENT["paths"][f"/v1/{kind.resource}/{{id}}"]["get"]
        assert operation["responses"].keys() == {"200", "400", "404", "500", "503"}
        assert [parameter["name"] for parameter in operation["parameters"]] == ["id"]


def test_every_reference_leads_to_a_schema() -> None:
    schemas = openapi.DOCUMENT["components"]["schemas"]
    assert schemas.keys() >= {"Item", "ErrorBody"}
    references = str(openapi.DOCUMENT).split("#/components/schemas/")[1:]
    assert {reference.split("'")[0] for reference in references} == {"Item", "ErrorBody"}


def test_the_page_lists_every_path_and_needs_no_other_server() -> None:
    page = openapi.page()
    for path in openapi.DOCUMENT["paths"]:
        assert f"GET {path}" in page
    assert "src=" not in page
    assert "<script" not in page
