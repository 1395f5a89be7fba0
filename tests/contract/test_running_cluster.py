"""``vmha plan`` and ``whatif`` of a running cluster that others have configured too."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
from contract.command import FULL, ROOMY, SCHEMA, Vmha
from lxml import etree

from vmha.heartbeat.clusterfile import planned, reading
from vmha.heartbeat.pacemaker import confirmation


@pytest.fixture
def vmha(tmp_path: Path) -> Vmha:
    return Vmha.built(tmp_path)


class Running:
    """A saved CIB of a file's cluster, to be changed as others change one."""

    def __init__(self, vmha: Vmha, text: str = ROOMY) -> None:
        self._vmha = vmha
        cluster = planned.cluster_of(reading.read(vmha.file(text)))
        self.cib = confirmation.document(cluster)

    def add(self, where: str, text: str) -> Running:
        """Add elements to the one that is found there."""
        (owner,) = self.cib.iterfind(where)
        owner.extend(etree.fromstring(f"<all>{text}</all>"))
        return self

    def constrain(self, text: str) -> Running:
        """Add constraints."""
        return self.add("configuration/constraints", text)

    def set(self, name: str, value: str) -> Running:
        """Set one of the cluster's options."""
        pair = f'<nvpair id="set-{name}" name="{name}" value="{value}"/>'
        return self.add("configuration/crm_config/cluster_property_set", pair)

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        saved = self._vmha.folder / "others.xml"
        saved.write_text(etree.tostring(self.cib, encoding="unicode"))
        return self._vmha(words[0], "--live", *words[1:], CIB_file=str(saved))


TICKET = '<rsc_ticket id="t" rsc="a" ticket="T"/>'
OTHERS_BAN = '<rsc_location id="l{0}" rsc-pattern="^a$" node="{0}" score="-INFINITY"/>'
MAINTENANCE = (
    '<instance_attributes id="i"><nvpair id="m" name="maintenance" value="true"/>'
    "</instance_attributes>"
)


def test_bans_by_pattern_are_seen_without_crm_simulate(vmha: Vmha) -> None:
    bans = OTHERS_BAN.format("N2") + OTHERS_BAN.format("n3")
    running = Running(vmha).constrain(bans)
    done = running("plan", "--json", "--no-confirm")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["tolerates"] == 0
    assert [e["guest"] for e in answer["failures"][0]["unplaced"]] == ["a"]
    assert "agrees on 3 failures" in running("plan").stdout


def test_what_pacemaker_contradicts_is_not_tolerated(vmha: Vmha) -> None:
    running = Running(vmha).constrain(TICKET)
    full = Running(vmha, FULL)("plan").stdout
    assert "better packing" in full
    assert "better packing" not in Running(vmha, FULL).constrain(TICKET)("plan").stdout
    answer = json.loads(running("plan", "--json").stdout)
    jsonschema.Draft7Validator(SCHEMA).validate(answer)
    assert answer["tolerates"] == 0
    first = answer["failures"][0]
    down = {(e["guest"], e["reason"]) for e in first["unplaced"]}
    assert ("a", "pacemaker") in down
    assert "a" not in first["placed"]
    told = running("plan")
    assert told.returncode == 1
    assert "Not every loss of a node is tolerated" in told.stdout
    assert "Not reckoned with: constraint t: a depends on a ticket." in told.stdout
    assert running("whatif", "--kill", "n3").returncode == 1


def test_what_is_not_reckoned_with_is_not_claimed_unconfirmed(vmha: Vmha) -> None:
    running = Running(vmha).set("node-health-strategy", "only-green")
    assert running("plan").returncode == 0
    told = running("plan", "--no-confirm", "--fit", "1,1")
    assert told.returncode == 1
    assert "It is not certain that every loss of a node is tolerated" in told.stdout
    assert "0 more guests" in told.stdout
    answer = json.loads(running("plan", "--no-confirm", "--json").stdout)
    assert answer["tolerates"] == 0
    assert any(told.startswith("Not certain:") for told in answer["warnings"])
    for change in (("--kill", "n1"), ("--add", "new=1,64")):
        assert running("whatif", *change).returncode == 0
        assert running("whatif", *change, "--no-confirm").returncode == 1


def test_a_cluster_in_maintenance_restarts_nothing(vmha: Vmha) -> None:
    answer = json.loads(
        Running(vmha).set("maintenance-mode", "yes")("plan", "--json").stdout
    )
    assert answer["tolerates"] == 0
    reasons = {e["reason"] for f in answer["failures"] for e in f["unplaced"]}
    assert reasons == {"unmanaged", "not-ha"}


def test_a_cluster_that_stops_everything_is_said_to(vmha: Vmha) -> None:
    done = Running(vmha).set("stop-all-resources", "true")("plan")
    assert done.returncode == 1
    assert "Without any failure, Pacemaker stops a on n1." in done.stdout
    assert "agrees on 3 failures" in done.stdout


def test_a_node_in_maintenance_is_no_node_in_standby(vmha: Vmha) -> None:
    where = "configuration/nodes/node[@uname='n2']"
    done = Running(vmha).add(where, MAINTENANCE)("plan")
    assert "Node n2 is in maintenance" in done.stdout
    assert "in standby" not in done.stdout
    assert "Without any failure" not in done.stdout
    assert "agrees on 3 failures" in done.stdout
    assert done.returncode == 1


def test_a_node_in_transient_standby_gives_its_guests_away(vmha: Vmha) -> None:
    text = MAINTENANCE.replace("maintenance", "standby")
    transient = f'<transient_attributes id="2">{text}</transient_attributes>'
    running = Running(vmha).add("status/node_state[@uname='n2']", transient)
    done = running("plan")
    assert "Without any failure, Pacemaker moves b from n2 to" in done.stdout
    assert "agrees on 2 failures" in done.stdout


def test_what_if_reads_constraints_of_others_for_the_changed_cluster(
    vmha: Vmha,
) -> None:
    bans = "".join(OTHERS_BAN.format(node) for node in ("n1", "n2", "n3"))
    running = Running(vmha).constrain(bans.replace("^a$", "^new"))
    answer = json.loads(running("whatif", "--add", "new1=1,64", "--json").stdout)
    assert [e["guest"] for e in answer["failures"][0]["unplaced"]] == ["new1"]
    assert running("whatif", "--add", "old1=1,64").returncode == 0
    standby = running("whatif", "--standby", "n1")
    assert "crm_simulate agrees." in standby.stdout


def test_a_new_guest_has_a_priority_as_in_the_file(vmha: Vmha) -> None:
    """Class 1 is above class 0 also where vmha has told Pacemaker other numbers."""
    running = Running(vmha)
    for priority, is_placed in (("0", False), ("1", True)):
        done = running(
            "whatif", "--add", "new=1,8192", "--priority", priority, "--json"
        )
        (outcome,) = json.loads(done.stdout)["failures"]
        assert ("new" in outcome["placed"]) == is_placed


def test_guests_of_a_group_are_lost_with_their_node(vmha: Vmha) -> None:
    running = Running(vmha)
    (guest,) = running.cib.iterfind("configuration/resources/primitive[@id='a']")
    group = etree.Element("group", id="g")
    guest.addprevious(group)
    group.append(guest)
    answer = json.loads(running("plan", "--json", "--no-confirm").stdout)
    assert answer["failures"][0]["placed"] == {"a": "n2"}
    assert answer["tolerates"] == 0
    assert any("in the group g" in warning for warning in answer["warnings"])


def test_how_many_failures_are_wanted_can_be_said(vmha: Vmha) -> None:
    path = vmha.file(ROOMY)
    assert vmha("plan", path, "--tolerate", "2").returncode == 1
    told = Running(vmha)("plan", "--tolerate", "2").stdout
    assert "policy.tolerate asks for 2." in told
    assert vmha("plan", vmha.file(FULL), "--tolerate", "0").returncode == 0
    wrong = vmha("plan", path, "--tolerate", "many")
    assert wrong.returncode == 2
    assert "not a whole number from 0 to 8" in wrong.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("whatif", "--add", "new=1,0"),
        ("whatif", "--resize", "a=,0"),
        ("plan", "--fit", "1,0"),
    ],
)
def test_a_guest_without_memory_is_refused_as_in_a_file(
    vmha: Vmha, words: tuple[str, ...]
) -> None:
    done = vmha(words[0], vmha.file(ROOMY), *words[1:])
    assert done.returncode == 2
    assert "a guest has 1 to 2147483647 MiB" in done.stderr


def test_an_answer_of_pacemakers_tools_is_told_without_xml(vmha: Vmha) -> None:
    done = vmha("status", "--json", CIB_file="/nonexistent/cib.xml")
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert "<" not in error["message"]
