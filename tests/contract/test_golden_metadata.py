"""The resource agents' metadata as recorded: what users and their tools rely on.

``golden`` records a wanted change.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from contract import ocf_root
from contract.golden import AGENTS, FOLDER, RECORD, shown
from lxml import etree


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ocf_root.build(tmp_path_factory.mktemp("ocf"))


@pytest.mark.parametrize("agent", AGENTS)
def test_metadata_is_as_recorded(root: Path, agent: str) -> None:
    recorded = (FOLDER / f"{agent}.xml").read_text(encoding="utf-8")
    assert shown(root, agent) == recorded, f"if the change is wanted: {RECORD}"


@pytest.mark.parametrize("agent", AGENTS)
def test_every_parameter_and_action_is_told_in_the_order_of_ocf_1_1(
    root: Path, agent: str
) -> None:
    metadata = etree.fromstring(shown(root, agent).encode())
    assert metadata.get("name") == agent
    tags = [str(child.tag) for child in metadata]
    assert tags == ["version", "longdesc", "shortdesc", "parameters", "actions"]
    assert metadata.findtext("version") == "1.1"
    for parameter in metadata.iterfind("parameters/parameter"):
        inner = [str(child.tag) for child in parameter if child.tag != "deprecated"]
        assert inner == ["longdesc", "shortdesc", "content"], parameter.get("name")
    for action in metadata.iterfind("actions/action"):
        times = [action.get("timeout"), action.get("interval", "0s")]
        assert all(str(time).endswith("s") for time in times), action.get("name")
