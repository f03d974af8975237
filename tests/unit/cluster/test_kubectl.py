"""kubectl: its errors when it is missing, fails or hangs, and its output."""

from pathlib import Path

import pytest

from dapr_hero.cluster import kubectl
from dapr_hero.cluster.errors import ClusterError
from tests.unit.dapr_local.fake_release import script


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, for a kubectl."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "kubectl"


def test_without_kubectl_it_says_where_to_get_it(program: Path) -> None:
    with pytest.raises(ClusterError, match=r"^kubectl is not installed: https://"):
        kubectl.run("version")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("error: no such thing", "error: no such thing"),
        ("Warning: old\\nThe Pod is invalid\\nsee --help", "The Pod is invalid"),
        ("E1125 19:12:59.1   24 memcache.go:265] refused\\nno server answers", "no server answers"),
        ('E0101 19:12:59.1   24 run.go:72] "command failed" err="no \\"a\\""', 'no "a"'),
        ("", "kubectl get failed"),
    ],
)
def test_its_error_is_told_by_the_line_that_says_most(said: str, told: str, program: Path) -> None:
    script(program, f"printf '%b\\n' '{said}' >&2", "exit 1")
    with pytest.raises(ClusterError) as error:
        kubectl.get("pods")
    assert str(error.value) == told


def test_one_that_does_not_end_is_given_up(program: Path) -> None:
    script(program, "while :; do :; done")
    with pytest.raises(ClusterError, match="kubectl version does not end within 0 s"):
        kubectl.run("version", timeout=0.05)


def test_resources_are_applied_as_one_list(program: Path, tmp_path: Path) -> None:
    script(
        program,
        f'echo "$@" > {tmp_path}/called',
        f"while read -r line; do echo $line; done > {tmp_path}/given",
    )
    kubectl.apply_text('{"kind": "Pod"}\n')
    assert (tmp_path / "called").read_text() == "apply --filename=-\n"
    assert (tmp_path / "given").read_text() == '{"kind": "Pod"}\n'


def test_a_missing_resource_is_none_and_an_existing_one_is_read(program: Path) -> None:
    script(program, 'case "$3" in there) echo \'{"kind": "Pod"}\';; esac')
    assert kubectl.find("pod", "gone") is None
    assert kubectl.find("pod", "there") == {"kind": "Pod"}
