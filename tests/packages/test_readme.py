"""The examples of README.md, run as they stand on an empty cluster configuration."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from packages.conftest import ROOT
from packages.overlay import OverlayRoot

README = (ROOT / "README.md").read_text(encoding="utf-8")
CIB = "/tmp/readme-cib.xml"
DEVICES = {"fence-node1", "fence-node2", "fence-node3"}


def _blocks(shell: str) -> list[str]:
    """Return the fenced blocks marked as commands of one cluster shell."""
    return re.findall(rf"^```sh {shell}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def _run(installed: OverlayRoot, script: str) -> str:
    return installed.output(["env", f"CIB_file={CIB}", "sh", "-euc", script])


@pytest.mark.parametrize("shell", ["pcs", "crm"])
def test_the_example_configures_a_valid_cluster(
    installed: OverlayRoot, shell: str
) -> None:
    example, describe = _blocks(shell)
    _run(installed, f"rm -f {CIB}; cibadmin --empty > {CIB}")
    if shell == "pcs":
        example = re.sub(r"^pcs ", f"pcs -f {CIB} ", example, flags=re.MULTILINE)
    _run(installed, example)
    _run(installed, f"crm_verify --xml-file={CIB}")
    primitives = _primitives(_run(installed, f"cat {CIB}"))
    assert primitives == dict.fromkeys(DEVICES, "fence_vmha_ipmi") | {
        "web": "VirtualMachine"
    }
    assert "fence_vmha_ipmi" in _run(installed, describe)


def test_both_examples_configure_the_same(installed: OverlayRoot) -> None:
    pcs, crm = (
        {
            re.sub(r"^\S+ ", "", value)
            for line in _blocks(shell)[0].splitlines()
            for value in re.findall(r'[a-z_]+=(?:"[^"]*"|\S+)', line)
        }
        for shell in ("pcs", "crm")
    )
    assert pcs == crm - {"interval=0"}


def test_the_switch_over_tables_know_every_parameter_of_the_predecessors(
    installed: OverlayRoot,
) -> None:
    told = set(re.findall(r"`([a-z_*]+)`", README))
    for predecessor in (
        ["crm_resource", "--show-metadata", "ocf:heartbeat:VirtualDomain"],
        ["stonith_admin", "--metadata", "--agent", "fence_ipmilan"],
        ["stonith_admin", "--metadata", "--agent", "fence_redfish"],
    ):
        metadata = ET.fromstring(installed.output(predecessor))  # noqa: S314
        spelled = {p.attrib["name"] for p in metadata.iter("parameter")}
        names = {name.replace("-", "_") for name in spelled}
        untold = {name for name in names - told if not _starred(name, told)}
        assert untold == OF_EVERY_FENCE_AGENT & names


OF_EVERY_FENCE_AGENT = {
    *("action", "debug", "help", "plug_separator"),
    *("sudo", "verbose_level", "version"),
}


def _starred(name: str, told: set[str]) -> bool:
    """Tell whether a name is covered by one that ends in a star."""
    stars = tuple(word[:-1] for word in told if word.endswith("_*"))
    return name.startswith(stars)


def _primitives(cib: str) -> dict[str, str]:
    root = ET.fromstring(cib)  # noqa: S314
    return {p.attrib["id"]: p.attrib["type"] for p in root.iter("primitive")}
