"""Start-up: what meta-data loads, and how long it takes against a bare interpreter."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from statistics import median

import pytest
from architecture.source import ROOT

EXECUTABLES = {
    "VirtualMachine": ("agents/resource.d/VirtualMachine", "meta-data"),
    "fence_vmha_ipmi": ("fence/sbin/fence_vmha_ipmi", "-o metadata"),
    "fence_vmha_redfish": ("fence/sbin/fence_vmha_redfish", "-o metadata"),
}

# Each costs several milliseconds of every operation, libraries tens.
NOT_LOADED = {
    "argparse",
    "dataclasses",
    "inspect",
    "libvirt",
    "logging",
    "lxml",
    "pyghmi",
    "socket",
    "subprocess",
    "typing",
    "xml",
}
PAIRS = 15
OWN_MS = 5.0


@pytest.fixture(params=EXECUTABLES)
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Copy an executable so that it finds the modules of this checkout."""
    source, words = EXECUTABLES[request.param]
    first, *rest = (ROOT / source).read_text(encoding="utf-8").splitlines()
    see_checkout = f"import sys; sys.path.insert(0, {str(ROOT / 'tests/path')!r})"
    copy = tmp_path / Path(source).name
    copy.write_text("\n".join([first, see_checkout, *rest, ""]), encoding="utf-8")
    return ["/usr/bin/python3", "-I", str(copy), *words.split()]


def test_metadata_loads_the_protocol_only(command: list[str]) -> None:
    shown = _run([*command[:2], "-X", "importtime", *command[2:]]).stderr
    loaded = {line.rsplit("|", 1)[1].strip() for line in shown.splitlines()}
    assert "vmha.agents.protocol.metadata" in loaded
    assert NOT_LOADED & {name.split(".")[0] for name in loaded} == set()


def test_metadata_costs_little_more_than_the_interpreter(command: list[str]) -> None:
    bare = ["/usr/bin/python3", "-I", "-c", "pass"]
    _run(command)  # the first run writes the bytecode
    pairs = [(_milliseconds(bare), _milliseconds(command)) for _ in range(PAIRS)]
    bare_ms = median(pair[0] for pair in pairs)
    metadata_ms = median(pair[1] for pair in pairs)
    print(f"bare interpreter {bare_ms:.1f} ms, metadata {metadata_ms:.1f} ms")
    assert metadata_ms <= 2 * bare_ms + OWN_MS


def _milliseconds(argv: list[str]) -> float:
    started = time.perf_counter()
    _run(argv)
    return (time.perf_counter() - started) * 1000


def _run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    # Bytecode is cached on an installed system, so it is cached here too.
    environment = {
        name: text
        for name, text in os.environ.items()
        if name != "PYTHONDONTWRITEBYTECODE"
    }
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
