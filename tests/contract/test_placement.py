"""Where Pacemaker puts a guest, with NodeCapacity's attributes and without: simulated.

The scheduler is the real one; the rule is the one that docs/capacity.md tells.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

RULE = """\
<rsc_location id="can" rsc="web"><rule id="can-r" score="-INFINITY">
<expression id="can-e" attribute="vmha-can-host-web" operation="eq" value="0"/>
</rule></rsc_location>"""
NODES = ("n1", "n2", "n3")
CIB = """\
<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0"
have-quorum="1" dc-uuid="1"><configuration><crm_config><cluster_property_set id="c">
<nvpair id="c1" name="stonith-enabled" value="false"/>
<nvpair id="c2" name="placement-strategy" value="{strategy}"/>
</cluster_property_set></crm_config><nodes>{nodes}</nodes><resources>
<primitive id="web" class="ocf" provider="vmha" type="VirtualMachine">
<meta_attributes id="m"><nvpair id="m1" name="allow-migrate" value="true"/>
</meta_attributes><utilization id="u"><nvpair id="u1" name="cpu" value="2"/>
</utilization></primitive></resources><constraints>
<rsc_location id="prefers" rsc="web" node="n2" score="50"/>{rule}</constraints>
</configuration><status>{states}</status></cib>
"""
STATE = """\
<node_state id="{i}" uname="{node}" in_ccm="true" crmd="online" join="member"
expected="member" crm-debug-origin="test"><transient_attributes id="{i}">
<instance_attributes id="s{i}">{pair}</instance_attributes></transient_attributes>
<lrm id="{i}"><lrm_resources><lrm_resource id="web" class="ocf" provider="vmha"
type="VirtualMachine"><lrm_rsc_op id="web_last_{i}" operation_key="web_{task}_0"
operation="{task}" op-digest="f2317cad3d54cec5d7d7aa7d0bf35cf8"
crm_feature_set="3.16.1" rc-code="{code}" op-status="0" call-id="1" interval="0"
transition-key="1:1:0:00000000-0000-0000-0000-000000000000"
transition-magic="0:{code};1:1:0:00000000-0000-0000-0000-000000000000"
on_node="{node}"/></lrm_resource></lrm_resources></lrm></node_state>"""


def planned(
    folder: Path,
    can_host: dict[str, str],
    runs_on: str = "",
    rule: str = RULE,
    cpu: str = "",
    standby: str = "",
) -> list[str]:
    """Return what Pacemaker would do, such as "start on n1"."""
    states, nodes = [], []
    for number, node in enumerate(NODES, 1):
        name = f'<nvpair id="a{number}" name="vmha-can-host-web" value="%s"/>'
        pair = name % can_host[node] if node in can_host else ""
        task, code = ("start", 0) if node == runs_on else ("monitor", 7)
        states.append(
            STATE.format(i=number, node=node, pair=pair, task=task, code=code)
        )
        inner = ""
        if cpu:
            inner = f'<utilization id="nu{number}"><nvpair id="nc{number}" '
            inner += f'name="cpu" value="{cpu}"/></utilization>'
        if node == standby:
            inner += '<instance_attributes id="st"><nvpair id="st1" name="standby" '
            inner += 'value="on"/></instance_attributes>'
        nodes.append(f'<node id="{number}" uname="{node}">{inner}</node>')
    path = folder / "cib.xml"
    strategy = "balanced" if cpu else "default"
    path.write_text(
        CIB.format(
            nodes="".join(nodes), states="".join(states), rule=rule, strategy=strategy
        )
    )
    done = subprocess.run(
        ["/usr/sbin/crm_simulate", "--simulate", "--xml-file", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    acts = re.findall(r"Resource action: web +(\w+) +on (\w+)", done.stdout)
    return [f"{act} on {node}" for act, node in acts if act != "monitor"]


MOVE = "migrate_to on {} / migrate_from on {} / stop on {}"


def moves(source: str, target: str) -> list[str]:
    return MOVE.format(source, target, source).split(" / ")


@pytest.mark.parametrize(
    ("can_host", "rule", "expected"),
    [
        ({"n1": "1", "n2": "0", "n3": "0"}, RULE, ["start on n1"]),
        ({"n1": "1", "n2": "0", "n3": "0"}, "", ["start on n2"]),
        ({"n1": "1", "n2": "1", "n3": "1"}, RULE, ["start on n2"]),
        ({"n1": "0", "n3": "0"}, RULE, ["start on n2"]),
        ({}, RULE, ["start on n2"]),
        (dict.fromkeys(NODES, "0"), RULE, []),
    ],
    ids=[
        "a node that cannot is not chosen",
        "without the rule it is",
        "all can",
        "one that has not answered is not excluded",
        "nobody has answered",
        "nobody can",
    ],
)
def test_a_guest_is_started_only_where_it_can_be(
    tmp_path: Path, can_host: dict[str, str], rule: str, expected: list[str]
) -> None:
    assert planned(tmp_path, can_host, rule=rule) == expected


def test_a_guest_is_moved_only_to_where_it_can_be(tmp_path: Path) -> None:
    can_host = {"n1": "1", "n2": "0", "n3": "1"}
    with_rule = planned(tmp_path, can_host, "n1", standby="n1")
    assert with_rule == moves("n1", "n3")
    without = planned(tmp_path, can_host, "n1", rule="", standby="n1")
    assert without == moves("n1", "n2")


def test_a_guest_stays_where_it_runs_when_nobody_else_can(tmp_path: Path) -> None:
    can_host = {"n1": "1", "n2": "0", "n3": "0"}
    assert planned(tmp_path, can_host, "n1") == []
    # Why the agent never says 0 where the guest runs: Pacemaker would take it away.
    gone = planned(tmp_path, {**can_host, "n1": "0"}, "n1")
    assert gone == ["stop on n1"]


def test_a_guest_without_room_is_not_started(tmp_path: Path) -> None:
    assert planned(tmp_path, {}, cpu="1") == []
    assert planned(tmp_path, {}, cpu="2") == ["start on n2"]
