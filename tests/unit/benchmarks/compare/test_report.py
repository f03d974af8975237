from pathlib import Path

import msgspec
import pytest

from benchmarks.compare import figures, report, results
from benchmarks.compare.results import Capabilities, Cost, Extra, Lone, Measured, Reads, Round, Run
from benchmarks.compare.rounds import EXTRAS
from dapr_hero.contract.kinds import KINDS
from dapr_hero.contract.mode import Mode
from dapr_local.errors import LocalError

_PARTS = ("inventory", "inventory-daprd", "valkey", "postgres")


def run(microseconds: float = 10.0, rounds: int = 3) -> Run:
    """A comparison in which every process costs so much for everything, and a little more each round."""
    every = [of(mode, microseconds + number) for mode in Mode for number in range(rounds)]
    one = every[0]
    return Run(
        date="2026-01-01",
        machine="a machine",
        versions="versions",
        driver="a driver",
        rounds=every,
        singles=[single(mode, microseconds) for mode in Mode for _ in range(rounds)],
        extras=[Extra(one.mode, what, one.ingest, one.reads) for what in EXTRAS],
        capabilities={mode.value: Capabilities(100, ["one", "two"], {"flies": "no"}) for mode in Mode},
    )


def of(mode: Mode, microseconds: float) -> Round:
    cost = Cost(1000.0, dict.fromkeys(_PARTS, microseconds))
    return Round(
        mode=mode.value,
        ingest=dict.fromkeys(figures.WORKLOADS, cost),
        reads={kind.name: Reads(cost, 1.0, 2.0) for kind in KINDS},
        lone=lone(microseconds),
        idle=dict.fromkeys(_PARTS, 4.0),
        start_seconds=1.0,
        rss_mib=dict.fromkeys(_PARTS, 50.0),
    )


def lone(microseconds: float) -> dict[str, Lone]:
    cost = Cost(50.0, dict.fromkeys(_PARTS, microseconds * 100))
    return {kind.name: Lone([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], cost) for kind in KINDS}


def single(mode: Mode, microseconds: float) -> Measured:
    slower = 2.0 if mode is Mode.SDK_GRPC else 1.0
    cost = Cost(100.0, dict.fromkeys(_PARTS, microseconds * 10 * slower))
    return Measured(mode.value, {"widget": cost}, lone(microseconds / 2 * slower), dict.fromkeys(_PARTS, 0.1))


def test_the_advice_has_the_best_of_both_deliveries_in_bold(tmp_path: Path) -> None:
    report.write(run(), tmp_path / "page.md")
    lines = (tmp_path / "page.md").read_text().splitlines()
    at = lines.index(
        "| CPU per lone event, all processes (ms) | one by one | **2.0** | 4.0 | **2.0** | **2.0** |"
    )
    assert lines[at + 1] == "|  | in bulk | 4.4 | 4.4 | 4.4 | 4.4 |"
    assert "|  | in bulk | **1,000** | **1,000** | **1,000** | **1,000** |" in lines


def test_the_page_has_its_tables_pictures_and_figures(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "comparison.md"
    report.write(run(), page)
    text = page.read_text()
    assert "$" not in text
    assert "| widget | 44 (40 to 48) |" in text
    assert "| of it valkey | 11 (10 to 12) |" in text
    assert "| flies | no | no | no | no |" in text
    for picture in ("ingest.svg", "widget.svg", "latency.svg"):
        assert f"(comparison/{picture})" in text
        assert (page.parent / "comparison" / picture).read_text().startswith("<?xml")
    assert results.load(page.with_suffix(".json")) == run()


def test_the_same_figures_make_the_same_pictures(tmp_path: Path) -> None:
    for name in ("a", "b"):
        report.write(run(), tmp_path / f"{name}.md")
    assert (tmp_path / "a/ingest.svg").read_bytes() == (tmp_path / "b/ingest.svg").read_bytes()


def test_a_change_that_is_more_than_the_spread_is_bold() -> None:
    changes = report.against(run(20.0), run(10.0))
    assert "| widget: CPU per event | **+91%** | **+91%** | **+91%** | **+91%** |" in changes
    assert "| widget: CPU per event | +9% | +9% | +9% | +9% |" in report.against(run(11.0), run(10.0))


@pytest.mark.parametrize("content", [None, b"no JSON", msgspec.json.encode({"date": 1})])
def test_a_file_that_is_no_comparison_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "earlier.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LocalError, match=r"earlier\.json"):
        results.load(path)
