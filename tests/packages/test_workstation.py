"""The command on an administrator's workstation: no libvirt, no agents, no cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from packages.conftest import NAMES, install
from packages.offline import from_the_tree, installed_in
from packages.overlay import OverlayRoot

OWN = ("vmha-common", "vmha-cluster")
NOT_THERE = ("python3-libvirt", "python3-pyghmi")


@pytest.fixture(scope="module")
def workstation(
    debs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OverlayRoot]:
    """A root with the command's packages, and without what the agents need."""
    root = OverlayRoot(tmp_path_factory.mktemp("root"))
    root.run(["dpkg", "--purge", *NAMES])
    root.output(["dpkg", "--purge", "--force-depends", *NOT_THERE])
    install(root, [debs[name] for name in OWN])
    yield root
    root.close()


def test_it_installs_without_libvirt_and_the_agents(workstation: OverlayRoot) -> None:
    for module in ("libvirt", "pyghmi"):
        asked = ["/usr/bin/python3", "-Ic", f"import {module}"]
        assert "ModuleNotFoundError" in workstation.run(asked).stderr
    assert "ok installed" in workstation.output(["dpkg", "-s", "vmha-cluster"])
    audit = workstation.output(["dpkg", "--audit", *OWN])
    assert audit == "", audit


def test_plan_render_check_and_import_say_what_they_say_everywhere(
    workstation: OverlayRoot, tmp_path: Path
) -> None:
    assert installed_in(workstation) == from_the_tree(tmp_path)


def test_a_node_without_the_agents_tells_the_rest_of_its_facts(
    workstation: OverlayRoot,
) -> None:
    told = json.loads(workstation.output(["vmha", "node-facts", "--json"]))
    assert told["host"]["cpus"] >= 1
    for part in ("libvirt", "guests"):
        assert told[part] is None
        assert told["unknown"][part].startswith("vmha-agents is not installed here")


@pytest.mark.parametrize("words", [["--help"], ["plan", "--help"], ["--version"]])
def test_its_help_needs_nothing_else(
    workstation: OverlayRoot, words: list[str]
) -> None:
    assert workstation.output(["vmha", *words])
