from pathlib import Path

from dapr_hero.local.data import location, open_data_dir
from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings


def test_the_data_is_where_the_settings_say(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "somewhere" / ".." / "data")
    data = open_data_dir(settings)
    assert data.root == location(settings) == tmp_path / "data"
    assert data.variable == "DAPR_HERO_DATA_DIR"
    data.close()


def test_by_default_it_is_in_the_state_folder() -> None:
    assert location(Settings(data_dir=None)) == PROGRAM.state.resolve()
