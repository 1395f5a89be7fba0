"""The command on a cluster file and a CIB file, with Pacemaker's own tools."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from clusters.examples import THREE, deadline, empty
from lxml import etree

from vmha.heartbeat.command.main import run
from vmha.heartbeat.command.streams import Streams
from vmha.heartbeat.pacemaker.cluster import Cluster, parsed
from vmha.heartbeat.pacemaker.target import raised

if TYPE_CHECKING:
    from collections.abc import Callable


class Vmha:
    """The command on a CIB file of its own."""

    def __init__(self, folder: Path) -> None:
        self.cib = folder / "live.xml"
        self.file = folder / "vmha.yaml"
        self.said = ""
        self.cib.write_text(empty(), encoding="utf-8")
        self.file.write_text(THREE, encoding="utf-8")

    def __call__(self, *words: str) -> int:
        """Run it; what it writes to both streams is in ``said``."""
        out = io.StringIO()
        code = run(words, Streams(out, out, {"CIB_file": str(self.cib)}))
        self.said = out.getvalue()
        return code

    def on_file(self, name: str, *words: str) -> int:
        """Run a subcommand on the cluster file."""
        return self(name, str(self.file), *words)

    def configured(self) -> etree._Element:
        """Return the CIB as it is now."""
        return parsed(self.cib.read_text("utf-8"))

    def edit(self, old: str, new: str) -> None:
        """Change the cluster file."""
        text = self.file.read_text("utf-8")
        assert old in text
        self.file.write_text(text.replace(old, new), encoding="utf-8")

    def change(self, edit: Callable[[etree._Element], None]) -> None:
        """Change the cluster as an administrator does with other tools."""
        before = self.configured()
        after = raised(before)
        edit(after)
        Cluster({"CIB_file": str(self.cib)}).change(before, after, deadline())
