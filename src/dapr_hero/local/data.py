"""The data directory of the settings."""

from pathlib import Path

from dapr_hero.local.program import PROGRAM
from dapr_hero.settings import Settings
from dapr_local.data import DataDir


def location(settings: Settings) -> Path:
    """Return the data directory: DAPR_HERO_DATA_DIR, otherwise the user's state folder."""
    return (settings.data_dir or PROGRAM.state).expanduser().resolve()


def open_data_dir(settings: Settings, *, fresh: bool = False) -> DataDir:
    """Open the data directory; `fresh` forgets the data of earlier runs. Raises: DataError."""
    return DataDir.open(location(settings), PROGRAM, fresh=fresh)
