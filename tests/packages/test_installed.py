"""The package as installed: the unmodified executables, run and described by the tools.

What pcs, crm and stonith_admin print is compared with the metadata that the same
executable gives: every parameter with its whole text, and nothing invented.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from packages.conftest import NAMES as PACKAGES
from packages.conftest import install
from packages.overlay import OverlayRoot

FOLDER = "/usr/lib/ocf/resource.d/vmha"
NAMES = ("VirtualMachine", "NodeCapacity")
AGENTS = {name: f"{FOLDER}/{name}" for name in NAMES}
FENCE = {
    name: f"/usr/sbin/{name}" for name in ("fence_vmha_ipmi", "fence_vmha_redfish")
}
LIBRARY = "/usr/lib/vmha/live/"
METADATA = {
    **{agent: [agent, "meta-data"] for agent in AGENTS.values()},
    **{agent: [agent, "-o", "metadata"] for agent in FENCE.values()},
}
SCHEMAS = {
    **dict.fromkeys(AGENTS.values(), "/usr/share/pcs/data/ocf-1.1.rng"),
    **dict.fromkeys(FENCE.values(), "/usr/share/cluster/relaxng/metadata.rng"),
}

# pcs does not offer these for a fence device: they are for Pacemaker or a terminal.
NOT_OFFERED = {"action", "help", "nodename", "plug", "port", "version"}

# Neither tool offers these as operations of a resource.
NOT_SHOWN = {"meta-data", "status", "validate-all"}


def _squeezed(text: str | None) -> str:
    """Drop all white space: each tool breaks its lines where it likes."""
    return "".join((text or "").split())


def _metadata(installed: OverlayRoot, executable: str) -> ET.Element:
    return ET.fromstring(installed.output(METADATA[executable]))  # noqa: S314


def _parameters(metadata: ET.Element) -> dict[str, ET.Element]:
    return {p.attrib["name"]: p for p in metadata.iter("parameter")}


def test_every_module_is_compiled_at_installation(installed: OverlayRoot) -> None:
    find = "find %s -name '*%s' | grep -c ."
    modules = installed.output(["sh", "-c", find % (LIBRARY, ".py")])
    compiled = installed.output(["sh", "-c", find % (LIBRARY, ".pyc")])
    assert modules == compiled


@pytest.mark.parametrize("executable", METADATA)
def test_anybody_may_read_the_metadata(installed: OverlayRoot, executable: str) -> None:
    as_root = installed.output(METADATA[executable])
    nobody = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    assert installed.output([*nobody, *METADATA[executable]]) == as_root


@pytest.mark.parametrize("executable", METADATA)
def test_the_metadata_fits_its_schema(installed: OverlayRoot, executable: str) -> None:
    check = ["xmllint", "--noout", "--relaxng", SCHEMAS[executable], "-"]
    shown = installed.run(check, text=installed.output(METADATA[executable]))
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("executable", METADATA)
def test_no_text_is_missing_or_a_stray_none(
    installed: OverlayRoot, executable: str
) -> None:
    metadata = _metadata(installed, executable)
    assert _squeezed(metadata.findtext("longdesc"))
    for name, parameter in _parameters(metadata).items():
        for kind in ("shortdesc", "longdesc"):
            text = parameter.findtext(kind)
            assert "None" not in (text or ""), name
            may_lack = executable in FENCE.values() and kind == "longdesc"
            assert _squeezed(text) or may_lack, name
        content = parameter.find("content")
        assert content is not None, name
        assert content.get("default") != "None", name


@pytest.mark.parametrize("name", AGENTS)
@pytest.mark.parametrize(
    "describe",
    [["pcs", "resource", "describe"], ["crm", "ra", "info"]],
    ids=["pcs", "crm"],
)
def test_the_resource_agent_is_described_completely(
    installed: OverlayRoot, describe: list[str], name: str
) -> None:
    metadata = _metadata(installed, AGENTS[name])
    shown = installed.output([*describe, f"ocf:vmha:{name}"])
    squeezed = _squeezed(shown)
    assert "None" not in shown
    assert _squeezed(metadata.findtext("shortdesc")) in squeezed
    assert _squeezed(metadata.findtext("longdesc")) in squeezed
    for known, parameter in _parameters(metadata).items():
        if parameter.find("deprecated") is None:
            assert f"\n  {known}" in shown or f"\n{known} (" in shown, known
            assert _squeezed(parameter.findtext("longdesc")) in squeezed, known
    for action in {a.attrib["name"] for a in metadata.iter("action")}:
        assert action in shown or action in NOT_SHOWN, action


@pytest.mark.parametrize("name", FENCE)
@pytest.mark.parametrize(
    "describe",
    ["pcs stonith describe {}", "crm ra info stonith:{}"],
    ids=["pcs", "crm"],
)
def test_the_fence_agent_is_described_completely(
    installed: OverlayRoot, describe: str, name: str
) -> None:
    metadata = _metadata(installed, FENCE[name])
    shown = installed.output(describe.format(name).split())
    squeezed = _squeezed(shown)
    assert "None" not in shown
    assert _squeezed(metadata.findtext("longdesc")) in squeezed
    for known, parameter in _parameters(metadata).items():
        if known not in NOT_OFFERED and not parameter.get("deprecated"):
            assert f"\n  {known}" in shown or f"\n{known} (" in shown, known
            assert _squeezed(parameter.findtext("shortdesc")) in squeezed, known


@pytest.mark.parametrize("name", FENCE)
def test_the_fencer_reads_the_fence_agents_metadata(
    installed: OverlayRoot, name: str
) -> None:
    ask = ["stonith_admin", "--metadata", "--agent", name]
    shown = ET.fromstring(installed.output(ask))  # noqa: S314
    own = _metadata(installed, FENCE[name])
    assert shown.get("name") == name
    assert _texts(shown) == _texts(own)
    # Pacemaker adds the actions that every resource has: start and stop.
    actions = {action.get("name") for action in shown.iter("action")}
    assert {action.get("name") for action in own.iter("action")} <= actions


def test_the_fencer_lists_the_fence_agents(installed: OverlayRoot) -> None:
    listed = installed.output(["stonith_admin", "--list-installed"]).split()
    assert set(FENCE) <= set(listed)


def test_pcs_and_crm_list_the_resource_agent(installed: OverlayRoot) -> None:
    listed = installed.output(["pcs", "resource", "list", "ocf:vmha", "--nodesc"])
    assert sorted(listed.split()) == sorted(f"ocf:vmha:{name}" for name in NAMES)
    assert set(NAMES) <= set(
        installed.output(["crm", "ra", "list", "ocf", "vmha"]).split()
    )


@pytest.mark.parametrize(
    "ask",
    [["pcs", "stonith", "list", "--nodesc"], ["crm", "ra", "list", "stonith"]],
    ids=["pcs", "crm"],
)
def test_pcs_and_crm_list_the_fence_agents(
    installed: OverlayRoot, ask: list[str]
) -> None:
    assert set(FENCE) <= set(installed.output(ask).split())


def test_purging_leaves_nothing_behind(
    installed: OverlayRoot, debs: dict[str, Path]
) -> None:
    installed.output(["dpkg", "--purge", *PACKAGES])
    left = "find /usr /etc /var/lib/vmha -name '*vmha*' 2>/dev/null || :"
    assert installed.output(["sh", "-c", left]) == ""
    install(installed, list(debs.values()))


def _texts(metadata: ET.Element) -> dict[str, str]:
    return {
        name: _squeezed(parameter.findtext("shortdesc"))
        for name, parameter in _parameters(metadata).items()
    }
