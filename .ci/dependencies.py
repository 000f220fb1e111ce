"""A Hatchling hook that gives a wheel the dependencies in requirements.txt."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Dependencies(MetadataHookInterface):
    """Reads requirements.txt, so that dependencies are listed only there."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the dependencies.

        Args:
            metadata: the wheel's metadata, like the table `project` of pyproject.toml.
        """
        lines = (Path(self.root) / "requirements.txt").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line for line in lines if line and not line.startswith("#")]
