"""What is rendered is judged by the tools it is for: Pacemaker, pcs, crm, Corosync."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clusters.examples import COMPACT, THREE, TWO, configuration, deadline, rendered
from lxml import etree

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.corosync import conf, reading
from vmha.heartbeat.pacemaker import cib, crm, options, pcs, rendering, simulate, state
from vmha.heartbeat.pacemaker.cluster import parsed
from vmha.heartbeat.pacemaker.configuration import NodeSettings
from vmha.heartbeat.pacemaker.difference import changes
from vmha.heartbeat.planning.instructions import instructions
from vmha.heartbeat.planning.model import Cluster, Guest, Node, Spread

if TYPE_CHECKING:
    from vmha.heartbeat.pacemaker.configuration import Configuration

TIMEOUT_S = 60
WHOLE = {"app1": "n1", "db1": "n1", "own": "n3", "web1": "n1", "web2": "n2"}
STRIP = TWO.replace(
    "{agent: fence_vmha_ipmi, ip: 10.0.9.1, password_file: /etc/bmc}",
    "{agent: fence_apc, ip: 10.0.9.9, plug: 1, options: {password_script: /etc/strip}}",
).replace(
    "{agent: fence_vmha_ipmi, ip: 10.0.9.2, password_file: /etc/bmc}",
    "{agent: fence_apc, ip: 10.0.9.9, plug: 2, options: {password_script: /etc/strip}}",
)
FILES = pytest.mark.parametrize(
    "text", [THREE, TWO, STRIP], ids=["three", "two", "strip"]
)


def _run(words: list[str], environ: dict[str, str] | None = None) -> str:
    """Run a program that must succeed."""
    done = subprocess.run(
        words,
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environ or {})},
    )
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"needs {program}")


def _blank(whole: Configuration, path: Path) -> Path:
    """Write the CIB of a cluster that has the nodes and nothing else."""
    bare = dataclasses.replace(
        whole,
        properties={},
        resources=(),
        constraints=(),
        fencing_levels=(),
        nodes=tuple(NodeSettings(node.name) for node in whole.nodes),
    )
    path.write_text(cib.text(bare), encoding="utf-8")
    return path


@FILES
def test_pacemaker_finds_nothing_wrong_in_the_cib(text: str, tmp_path: Path) -> None:
    _needs("crm_verify")
    path = tmp_path / "cib.xml"
    whole = state.with_state(rendered(text), {})
    path.write_bytes(etree.tostring(whole))
    _run(["crm_verify", "--verbose", "--xml-file", str(path)])


def test_pcs_makes_the_same_configuration(tmp_path: Path) -> None:
    _needs("pcs")
    whole = configuration(parse(COMPACT, "vmha.yaml"))
    path = _blank(whole, tmp_path / "cib.xml")
    for words in pcs.commands(whole):
        # The agents may not be installed where this runs; nothing else is overlooked.
        forced = ["--force"] if "create" in words else []
        _run(["pcs", "-f", str(path), *words[1:], *forced])
    assert changes(cib.document(whole), parsed(path.read_text("utf-8"))) == ()


def test_pcs_makes_the_same_map_of_plugs(tmp_path: Path) -> None:
    _needs("pcs")
    whole = configuration(parse(STRIP, "vmha.yaml"))
    path = _blank(whole, tmp_path / "cib.xml")
    for words in pcs.commands(whole):
        if words[1] == "stonith":
            forced = ["--force"] if "create" in words else []
            _run(["pcs", "-f", str(path), *words[1:], *forced])
    (pair,) = parsed(path.read_text("utf-8")).iterfind(
        ".//nvpair[@name='pcmk_host_map']"
    )
    assert pair.get("value") == "n1:1;n2:2"


@FILES
def test_crm_makes_the_same_configuration(text: str, tmp_path: Path) -> None:
    _needs("crm")
    whole = configuration(parse(text, "vmha.yaml"))
    path = _blank(whole, tmp_path / "cib.xml")
    script = tmp_path / "vmha.crm"
    script.write_text(crm.text(whole), encoding="utf-8")
    words = ["crm", "-F", "configure", "load", "update", str(script)]
    _run(words, {"CIB_file": str(path), "HOME": str(tmp_path)})
    assert changes(cib.document(whole), parsed(path.read_text("utf-8"))) == ()


@pytest.mark.parametrize(
    "more", ["", "quorum: {qdevice: {host: 10.0.9.9}}\n"], ids=["alone", "arbiter"]
)
@FILES
def test_corosync_accepts_its_configuration(
    text: str, more: str, tmp_path: Path
) -> None:
    _needs("corosync")
    key = tmp_path / "authkey"
    key.write_bytes(bytes(range(256)))
    key.chmod(0o400)
    made = conf.text(parse(more + text, "vmha.yaml"))
    path = tmp_path / "corosync.conf"
    # Corosync wants its key, and itself among the nodes.
    here = made.replace("totem {\n", f"totem {{\n    keyfile: {key}\n")
    path.write_text(here.replace("10.0.0.1", "127.0.0.1"), encoding="utf-8")
    _run(["corosync", "-t", "-c", str(path)])
    seen = reading.parse(made)
    assert reading.has_two_node(seen) == (text != THREE and not more)
    assert reading.qdevice_host(seen) == ("10.0.9.9" if more else None)


def test_a_cluster_that_is_what_the_file_says_is_left_alone() -> None:
    _needs("crm_simulate")
    whole = state.with_state(rendered(THREE), {**WHOLE, "web3": "n3"})
    outcome = simulate.simulate(whole, deadline())
    assert outcome.actions == ()
    assert outcome.after == outcome.before


def test_guests_of_a_lost_node_run_elsewhere_within_the_rules() -> None:
    _needs("crm_simulate")
    whole = state.with_state(rendered(THREE), {**WHOLE, "web3": "n3"})
    after = simulate.simulate(whole, deadline(), ["n1"]).after
    assert {"app1", "db1", "web1", "web2", "web3"} <= after.keys()
    assert after["db1"] == "n3", "pinned to n1 and the rack of n3"
    assert after["web1"] != after["web2"]


def test_a_guest_that_is_not_restarted_stays_down_with_its_node() -> None:
    _needs("crm_simulate")
    whole = state.with_state(rendered(THREE), {**WHOLE, "web3": "n3"})
    assert "own" not in simulate.simulate(whole, deadline(), ["n3"]).after


def test_a_soft_rule_never_keeps_a_guest_down() -> None:
    _needs("crm_simulate")
    names = tuple(f"g{i}" for i in range(6))
    cluster = Cluster(
        (Node("n1", 8, 8192, "r1"), Node("n2", 8, 8192, "r1")),
        tuple(Guest(name, 1, 512, runs_on="n1") for name in names),
        (Spread(names, hard=False),),
    )
    made = rendering.of_cluster(cluster, instructions(cluster))
    whole = state.with_state(cib.document(made), dict.fromkeys(names, "n1"))
    after = simulate.simulate(whole, deadline(), ["n1"]).after
    assert {name for name in after if name in names} == set(names)


def test_the_installed_pacemaker_says_which_options_it_has() -> None:
    _needs("crm_attribute")
    names = options.known(deadline())
    assert {"no-quorum-policy", "placement-strategy", "migration-limit"} <= names
    assert names & {"stonith-enabled", "fencing-enabled"}
    written = configuration(parse(THREE, "vmha.yaml"))
    assert options.spelt(written, names).properties.keys() <= names
