"""The command ``vmha`` of the checkout, and the cluster files its tests speak of."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
from contract import ocf_root

SCHEMA = json.loads(
    (ocf_root.CHECKOUT / "heartbeat/command/plan.schema.json").read_text()
)
# Three equal nodes, of which any two hold everything; and two guests too many for that.
ROOMY = """\
cluster: {name: demo}
nodes:
  n1: {capacity: {cpu: 8, memory_mib: 8192}, rack: r1}
  n2: {capacity: {cpu: 8, memory_mib: 8192}, rack: r1}
  n3: {capacity: {cpu: 8, memory_mib: 8192}}
guests:
  a: {cpu: 1, memory_mib: 4000, runs_on: n1}
  b: {cpu: 1, memory_mib: 4000, runs_on: n2}
  c: {cpu: 1, memory_mib: 4000, runs_on: n3}
  d: {cpu: 1, memory_mib: 1, runs_on: n3, ha: false}
"""
FULL = f"""\
{ROOMY}\
  e: {{cpu: 1, memory_mib: 4100, runs_on: n1}}
  f: {{cpu: 1, memory_mib: 4100, runs_on: n2}}
"""


class Vmha:
    """The executable of the checkout."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self.folder = folder

    @classmethod
    def built(cls, folder: Path) -> Vmha:
        """Build the tree that it runs from."""
        return cls(ocf_root.build(folder / "root") / "sbin/vmha", folder)

    def __call__(
        self, *words: str, text: str = "", **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.path, *words],
            check=False,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env={"PATH": os.environ["PATH"], **environ},
        )

    def file(self, text: str) -> str:
        path = self.folder / "vmha.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def answer(self, *words: str, code: int) -> Any:
        """Return what is printed with --json, held against the schema."""
        done = self(*words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        jsonschema.Draft7Validator(SCHEMA).validate(answer)
        return answer
