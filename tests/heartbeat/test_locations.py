"""The doctor and Pacemaker agree on which nodes location rules leave a resource."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from clusters.examples import empty
from lxml import etree

from vmha.heartbeat.doctor import rules
from vmha.heartbeat.doctor.cib import Cib

if TYPE_CHECKING:
    from pathlib import Path

NODES = ("n1", "n2", "n3")
DUMMY = '<primitive id="{}" class="ocf" provider="pacemaker" type="Dummy"/>'
RESOURCES = (
    *(DUMMY.format(name) for name in ("web1", "web22", "db", "x.y")),
    f'<group id="pair">{DUMMY.format("in1")}{DUMMY.format("in2")}</group>',
    f'<clone id="all">{DUMMY.format("web-c")}</clone>',
)
NAMES = ("web1", "web22", "db", "x.y", "in1")  # in2 goes where in1 is
UNFENCED = '<nvpair id="f" name="stonith-enabled" value="false"/>'
BAN = 'score="-INFINITY"'
SET = (
    '<rsc_location id="s" node="n2" {}><resource_set id="s0"{}>'
    '<resource_ref id="db"/><resource_ref id="pair"/></resource_set></rsc_location>'
)


@pytest.mark.parametrize(
    "constraint",
    [
        f'<rsc_location id="l" rsc="web1" node="N2" {BAN}/>',
        f'<rsc_location id="l" rsc="web1" node="nx" {BAN}/>',
        f'<rsc_location id="l" rsc="pair" node="n1" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="web" node="n1" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="^web[[:digit:]]$" node="n1" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="^(web1|x.y|in1)$" node="n3" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="!^web" node="n3" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="pai" node="n3" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="WEB" node="n3" {BAN}/>',
        f'<rsc_location id="l" rsc-pattern="web2{{2}}" node="n3" {BAN}/>',
        SET.format(BAN, ""),
        SET.format('score="5"', f" {BAN}"),
        f'<rsc_location id="l" rsc="web1" node="n1" role="Master" {BAN}/>',
        '<rsc_location id="l" rsc="web1"><rule id="r" score="-INFINITY"><expression '
        'id="e" attribute="#uname" operation="ne" value="n2"/></rule></rsc_location>',
    ],
)
def test_rules_leave_the_nodes_that_pacemaker_leaves(
    constraint: str, tmp_path: Path
) -> None:
    if shutil.which("crm_simulate") is None:
        pytest.skip("needs crm_simulate")
    text = empty(3, "".join(RESOURCES), constraint).replace(
        "</cluster_property_set>", f"{UNFENCED}</cluster_property_set>"
    )
    path = tmp_path / "cib.xml"
    path.write_text(text, encoding="utf-8")
    cib = Cib(etree.fromstring(text.encode()))
    told = subprocess.run(
        ["crm_simulate", "--show-scores", "--simulate", "--xml-file", str(path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    scores = re.findall(r"(\S+) allocation score on (\S+): (\S+)", told)
    for name in NAMES:
        closed = {
            node for who, node, score in scores if who == name and score == "-INFINITY"
        }
        assert rules.nodes_for(cib, name) == set(NODES) - closed, name
