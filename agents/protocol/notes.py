"""Notes: what an agent remembers of a resource until the node reboots.

One small file per resource instance on a tmpfs, root-only, written atomically. Called
by the accounting of utilization and by NodeCapacity. Never evidence about a guest: a
note that is lost or damaged costs a question more, and no decision.
"""

from __future__ import annotations

import os

from vmha.agents.protocol import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RUNTIME = "/run/vmha"


class Notes:
    """The notes of one kind; ``kind`` names their folder below ``runtime``."""

    __slots__ = ("_folder",)

    def __init__(self, kind: str, runtime: str = RUNTIME) -> None:
        self._folder = os.path.join(runtime, kind)

    def read(self, instance: str) -> dict[str, str] | None:
        """Return what was noted, None where nothing was or it cannot be read."""
        try:
            with open(self._path(instance), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (OSError, UnicodeDecodeError):
            return None
        pairs = [line.partition("=") for line in lines if "=" in line]
        return {name: value for name, _, value in pairs}

    def write(self, instance: str, pairs: Mapping[str, str]) -> None:
        """Note these pairs and forget others; raises OSError."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        lines = [f"{name}={' '.join(text.split())}\n" for name, text in pairs.items()]
        files.write_atomically(self._path(instance), "".join(lines))

    def forget(self, instance: str) -> None:
        """Drop an instance's notes; raises OSError where that fails."""
        try:
            os.unlink(self._path(instance))
        except FileNotFoundError:
            return

    def _path(self, instance: str) -> str:
        safe = "".join(
            c if c.isalnum() or c in "._-" else f"%{ord(c):x}" for c in instance
        )
        return os.path.join(self._folder, safe)
