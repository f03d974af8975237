"""Adds the addresses of the project to the package: those of the repository that builds it, in REPOSITORY_URL."""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class RepositoryUrls(MetadataHookInterface):
    """A build without REPOSITORY_URL has no addresses, so a fork never shows those of another repository."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `project.urls`."""
        if url := os.environ.get("REPOSITORY_URL"):
            metadata["urls"] = {
                "Source": url,
                "Changelog": f"{url}/blob/main/CHANGELOG.md",
                "Documentation": f"{url}/tree/main/docs",
                "Issues": f"{url}/issues",
            }
