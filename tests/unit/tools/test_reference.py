from dapr_hero.contract.kinds import KINDS
from dapr_hero.settings import Settings, key
from tools import reference

PAGES = {path.name: text for path, text in reference.texts().items()}


def test_every_setting_has_a_row() -> None:
    for name in Settings.model_fields:
        assert f"\n| `{key(name)}` | " in PAGES["settings.md"]


def test_every_command_has_a_section() -> None:
    for command in ("up", "publish", "get", "doctor", "dead-letters replay", "k8s deploy"):
        assert f"\n## dapr-hero {command}\n" in PAGES["cli.md"]


def test_every_resource_has_a_path() -> None:
    for kind in KINDS:
        assert f"\n## GET /v1/{kind.resource}/{{id}}\n" in PAGES["rest.md"]


def test_metrics_have_the_names_that_prometheus_reads() -> None:
    assert "| `dapr_hero_events_total` | counter | path, verdict |" in PAGES["metrics.md"]
    assert "| `dapr_hero_circuit_closed` | gauge | store, operation |" in PAGES["metrics.md"]
