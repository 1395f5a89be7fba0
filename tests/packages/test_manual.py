"""The manual pages and completions as installed: complete, without a warning."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from packages.conftest import ROOT
from packages.overlay import OverlayRoot
from packages.test_installed import AGENTS, METADATA

MANUAL = "/usr/share/man"
PAGES = {
    **{f"ocf_vmha_{name}": METADATA[path] for name, path in AGENTS.items()},
    "fence_vmha_ipmi": ["fence_vmha_ipmi", "-o", "metadata"],
    "fence_vmha_redfish": ["fence_vmha_redfish", "-o", "metadata"],
}
SCHEMA = ROOT / "heartbeat/clusterfile/schema.json"


def _pages(installed: OverlayRoot) -> list[str]:
    find = f"find {MANUAL} -name '*vmha*'"
    return sorted(installed.output(["sh", "-c", find]).split())


def _shown(installed: OverlayRoot, name: str) -> str:
    """Return a page as a wide terminal shows it."""
    show = f"zcat $(find {MANUAL} -name '{name}.[578].gz') | MANWIDTH=900 man -l -"
    return installed.output(["sh", "-euc", show])


def _joined(text: str) -> str:
    return " ".join(text.split())


def test_every_page_is_set_without_a_warning(installed: OverlayRoot) -> None:
    pages = _pages(installed)
    assert len(pages) >= len(PAGES)
    for page in pages:
        check = f"man --warnings -E UTF-8 -l -Tutf8 -Z {page} >/dev/null"
        said = installed.run(["sh", "-c", check])
        assert (said.returncode, said.stderr) == (0, ""), page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_every_parameter_with_its_text(
    installed: OverlayRoot, name: str
) -> None:
    shown = _shown(installed, name)
    metadata = ET.fromstring(installed.output(PAGES[name]))  # noqa: S314
    kind = "longdesc" if name.startswith("ocf") else "shortdesc"
    assert _joined(metadata.findtext("longdesc") or "?") in _joined(shown)
    for parameter in metadata.iter("parameter"):
        known = parameter.attrib["name"]
        named = re.search(rf"^ +{known} \(", shown, re.MULTILINE)
        assert named or re.search(rf"Older name: .*{known}", shown), known
        is_unused = parameter.find("deprecated") is not None
        if not is_unused:
            assert _joined(parameter.findtext(kind) or "?") in _joined(shown), known


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_found_by_what_it_is_for(installed: OverlayRoot, name: str) -> None:
    page = next(path for path in _pages(installed) if f"/{name}." in path)
    assert f"{name} - " in installed.output(["lexgrog", page])


def test_the_cluster_files_page_has_every_key(installed: OverlayRoot) -> None:
    if not SCHEMA.exists():
        assert not [page for page in _pages(installed) if "yaml" in page]
        return
    shown = _shown(installed, "vmha.yaml")
    names = set(_keys(json.loads(SCHEMA.read_text(encoding="utf-8"))))
    assert {"cluster", "nodes", "guests"} <= names
    for name in names:
        assert re.search(rf"^ +(\S+\.)?{name} \(", shown, re.MULTILINE), name


def test_the_commands_page_has_every_subcommand(installed: OverlayRoot) -> None:
    shown = _shown(installed, "vmha")
    told = installed.output(["vmha", "--help"])
    for name in re.findall(r"^  ([a-z][a-z-]+)  ", told, re.MULTILINE):
        assert f"vmha {name}" in shown, name


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (["fence_vmha_ipmi", "--password-f"], "--password-file"),
        (["fence_vmha_redfish", "--systems"], "--systems-uri"),
        (["vmha", "--he"], "--help"),
    ],
)
def test_the_shell_completes_words(
    installed: OverlayRoot, line: list[str], wanted: str
) -> None:
    command = line[0]
    script = (
        f". /usr/share/bash-completion/completions/{command}; "
        f"COMP_WORDS=({' '.join(line)}); COMP_CWORD=1; _{command}; "
        'echo "${COMPREPLY[@]}"'
    )
    assert installed.output(["bash", "-euc", script]).split() == [wanted]


def _keys(node: object) -> list[str]:
    """Return every name below "properties" of a schema, wherever it stands."""
    if isinstance(node, list):
        return [name for inner in node for name in _keys(inner)]
    if not isinstance(node, dict):
        return []
    own = node.get("properties", {})
    names = list(own) if isinstance(own, dict) else []
    return names + [name for inner in node.values() for name in _keys(inner)]
