"""The program that runs Dapr on this machine, as users know it."""

from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True)
class Program:
    """The name of a program in messages and folders, and the prefix of the variables that set it up."""

    name: str
    prefix: str

    def variable(self, name: str) -> str:
        """Return the environment variable of a setting, such as DATA_DIR."""
        return self.prefix + name

    @property
    def cache(self) -> Path:
        """The user's folder for what is downloaded or built."""
        return platformdirs.user_cache_path(self.name)

    @property
    def state(self) -> Path:
        """The folder for data. For root it is the system's, as other accounts cannot enter root's home."""
        return platformdirs.user_state_path(self.name, use_site_for_root=True)

    @property
    def shared_cache(self) -> Path:
        """A cache that other accounts can enter too."""
        return platformdirs.user_cache_path(self.name, use_site_for_root=True)
