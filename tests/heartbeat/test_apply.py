"""vmha apply, diff, undo and import on a CIB file, with Pacemaker's own tools."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from clusters.commanded import Vmha
from clusters.examples import THREE, deadline, empty
from lxml import etree

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker.cluster import Cluster, Moved
from vmha.heartbeat.pacemaker.difference import changes
from vmha.heartbeat.pacemaker.target import raised

if TYPE_CHECKING:
    pass

FOREIGN = """\
<primitive id="ip" class="ocf" provider="heartbeat" type="IPaddr2">
<instance_attributes id="ip-i"><nvpair id="ip-i-ip" name="ip" value="10.0.0.99"/>
</instance_attributes></primitive>
"""
GUEST = """\
<primitive id="web1" class="ocf" provider="heartbeat" type="VirtualDomain">
<instance_attributes id="web1-instance_attributes">
<nvpair id="w1c" name="config" value="/srv/old.xml"/></instance_attributes>
<utilization id="w1u"><nvpair id="w1u1" name="cpu" value="2"/>
<nvpair id="w1u2" name="hv_memory" value="2048"/></utilization></primitive>
"""
KEPT = '<rsc_location id="mine" rsc="ip" node="n2" score="77"/>'


@pytest.fixture
def vmha(tmp_path: Path) -> Vmha:
    if shutil.which("crm_simulate") is None:
        pytest.skip("needs crm_simulate")
    return Vmha(tmp_path)


def _set(cib: etree._Element, ident: str, value: str) -> None:
    cib.find(f".//*[@id='{ident}']").set("value", value)  # type: ignore[union-attr]


def test_the_second_apply_changes_nothing(vmha: Vmha) -> None:
    assert vmha.on_file("apply", "--yes") == 0
    first = vmha.cib.read_bytes()
    assert vmha.on_file("apply", "--yes") == 0
    assert "Nothing to change" in vmha.said
    assert vmha.cib.read_bytes() == first
    assert vmha.on_file("diff") == 0


def test_diff_shows_what_pacemaker_would_do_and_changes_nothing(vmha: Vmha) -> None:
    before = vmha.cib.read_bytes()
    assert vmha.on_file("diff") == 1
    assert "+ resource web1" in vmha.said
    assert re.search(r"^  start web1 on n[123]$", vmha.said, re.MULTILINE)
    assert vmha.cib.read_bytes() == before


def test_undo_restores_what_was_and_is_readable_by_root_alone(vmha: Vmha) -> None:
    before = vmha.configured()
    assert vmha.on_file("apply", "--yes") == 0
    folder = Path(f"{vmha.cib}.undo")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}
    assert vmha("undo", "--yes") == 0
    assert changes(before, vmha.configured()) == ()
    assert vmha("undo", "--yes") == 1
    assert "nothing to undo" in vmha.said


def test_undo_goes_back_apply_by_apply(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    first = vmha.configured()
    vmha.edit("memory_mib: 2048", "memory_mib: 3072")
    assert vmha.on_file("apply", "--yes") == 0
    assert "utilization hv_memory 2048 -> 3072" in vmha.said
    assert vmha("undo", "--yes") == 0
    assert changes(first, vmha.configured()) == ()


def test_undo_leaves_what_others_did_since(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")

    def edit(cib: etree._Element) -> None:
        resources = cib.find("configuration/resources")
        assert resources is not None
        resources.append(etree.fromstring(FOREIGN))

    vmha.change(edit)
    assert vmha("undo", "--yes") == 0
    left = vmha.configured().findall("configuration/resources/primitive")
    assert [one.get("id") for one in left] == ["ip"]


def test_undo_refuses_where_others_changed_the_same_thing(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    ident = "vmha-resource-web1-meta_attributes-priority"
    vmha.change(lambda cib: _set(cib, ident, "99"))
    assert vmha("undo", "--yes") == 1
    assert "changed since the apply: web1" in vmha.said
    assert vmha("undo", "--yes", "--force") == 0


def test_a_guest_too_many_is_refused_with_the_reason(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    before = vmha.cib.read_bytes()
    vmha.edit("guests:\n", "guests:\n  huge: {domain: h, cpu: 1, memory_mib: 20000}\n")
    assert vmha.on_file("apply", "--yes") == 1
    assert "refused: guest huge would find no node" in vmha.said
    assert vmha.cib.read_bytes() == before
    assert vmha.on_file("apply", "--yes", "--force") == 0


def test_a_change_that_fewer_failures_would_survive_is_refused(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    before = vmha.cib.read_bytes()
    vmha.edit("cpu: 1, memory_mib: 2048", "cpu: 1, memory_mib: 14000")
    vmha.edit(
        "app1: {config: /srv/guests/app1.xml, class: silver, cpu: 1, memory_mib: 1024}",
        "app1: {config: /srv/guests/app1.xml, class: silver, cpu: 1, "
        "memory_mib: 14000}",
    )
    assert vmha.on_file("apply", "--yes") == 1
    assert "policy.tolerate" in vmha.said
    assert vmha.cib.read_bytes() == before


def _hand_made(count: int) -> str:
    """Return guests of others that need 9000 MiB each."""
    large = GUEST.replace('value="2048"', 'value="9000"')
    made = (large.replace("web1", f"other{n}") for n in range(count))
    return "".join(one.replace("w1", f"o{n}") for n, one in enumerate(made))


def test_a_change_that_leaves_a_guest_of_others_no_room_is_refused(vmha: Vmha) -> None:
    """The file alone would be survived: the others' guests are in no file."""
    vmha.cib.write_text(empty(3, _hand_made(2)), encoding="utf-8")
    assert vmha.on_file("apply", "--yes") == 0, vmha.said
    before = vmha.cib.read_bytes()
    vmha.edit("guests:\n", "guests:\n  big: {domain: h, cpu: 1, memory_mib: 9000}\n")
    assert vmha.on_file("apply", "--yes") == 1
    assert "policy.tolerate" in vmha.said
    assert "stay down: " in vmha.said
    assert vmha.cib.read_bytes() == before


def test_a_change_that_makes_an_unsafe_cluster_no_worse_is_made(vmha: Vmha) -> None:
    vmha.cib.write_text(empty(3, _hand_made(3)), encoding="utf-8")
    assert vmha.on_file("apply", "--yes", "--force") == 0, vmha.said
    vmha.edit("web2, priority: 7", "web2, priority: 8")
    assert vmha.on_file("apply", "--yes") == 0, vmha.said


def test_a_cluster_that_changed_since_the_diff_is_refused(vmha: Vmha) -> None:
    vmha.on_file("diff", "--json")
    version = json.loads(vmha.said)["version"]

    def edit(cib: etree._Element) -> None:
        resources = cib.find("configuration/resources")
        assert resources is not None
        resources.append(etree.fromstring(FOREIGN))

    vmha.change(edit)
    before = vmha.cib.read_bytes()
    assert vmha.on_file("apply", "--yes", "--against", version) == 2
    assert "has changed since the difference was shown" in vmha.said
    assert vmha.cib.read_bytes() == before


def test_pacemaker_refuses_a_patch_of_a_configuration_that_moved(vmha: Vmha) -> None:
    cluster = Cluster({"CIB_file": str(vmha.cib)})
    read = cluster.read(deadline())
    vmha.on_file("apply", "--yes")
    before = vmha.cib.read_bytes()
    with pytest.raises(Moved):
        cluster.change(read, raised(read), deadline())
    assert vmha.cib.read_bytes() == before


def test_a_guest_dropped_from_the_file_needs_remove(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    line = next(x for x in THREE.splitlines(True) if x.startswith("  web2:"))
    vmha.edit(line, "")
    vmha.edit("spread: [web1, web2]", "spread: [web1, web3]")
    assert vmha.on_file("apply", "--yes") == 1
    assert "guest web2 is no longer in the file: it would be stopped" in vmha.said
    assert "--remove" in vmha.said
    assert vmha.on_file("apply", "--yes", "--remove") == 0
    assert vmha.configured().find(".//primitive[@id='web2']") is None


def test_what_others_configured_stays_untouched(vmha: Vmha) -> None:
    vmha.cib.write_text(empty(3, FOREIGN, KEPT), encoding="utf-8")
    before = vmha.configured()
    assert vmha.on_file("apply", "--yes") == 0
    after = vmha.configured()
    for path in (".//primitive[@id='ip']", ".//rsc_location[@id='mine']"):
        one, other = before.find(path), after.find(path)
        assert one is not None
        assert other is not None
        assert etree.tostring(one) == etree.tostring(other)


def test_a_guest_made_by_hand_is_adopted_only_when_told(vmha: Vmha) -> None:
    vmha.cib.write_text(empty(3, FOREIGN + GUEST), encoding="utf-8")
    assert vmha.on_file("apply", "--yes") == 1
    assert "resource web1 exists and was not written by vmha" in vmha.said
    assert "--adopt" in vmha.said
    assert vmha.on_file("apply", "--yes", "--adopt") == 0
    web1 = vmha.configured().find(".//primitive[@id='web1']")
    assert web1 is not None
    assert web1.get("provider") == "vmha"
    assert vmha.on_file("diff") == 0


def test_a_stopped_guest_is_not_started_by_an_apply(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")

    def edit(cib: etree._Element) -> None:
        meta = cib.find(".//primitive[@id='web1']/meta_attributes")
        assert meta is not None
        words = {"id": "w-role", "name": "target-role", "value": "Stopped"}
        etree.SubElement(meta, "nvpair", words)

    vmha.change(edit)
    vmha.edit("memory_mib: 2048", "memory_mib: 3072")
    assert vmha.on_file("apply", "--yes") == 0
    assert vmha.configured().find(".//nvpair[@id='w-role']") is not None


def test_an_import_reads_back_to_the_same_configuration(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    assert vmha("import", "-o", str(vmha.file)) == 0
    assert vmha.on_file("diff") == 0, vmha.said


def test_an_import_lists_what_it_leaves_out_and_takes_no_password(vmha: Vmha) -> None:
    device = (
        '<primitive id="f1" class="stonith" type="fence_ipmilan"><instance_attributes '
        'id="f1i"><nvpair id="f1p" name="password" value="geheim"/><nvpair id="f1h" '
        'name="pcmk_host_list" value="n1"/></instance_attributes></primitive>'
    )
    vmha.cib.write_text(empty(3, FOREIGN + GUEST + device, KEPT), encoding="utf-8")
    assert vmha("import", "--capacity", "8,8192") == 0
    assert "resource ip (ocf:heartbeat:IPaddr2) is no guest" in vmha.said
    assert "device f1: its password is not taken over" in vmha.said
    assert "geheim" not in vmha.said
    assert "web1: {config: /srv/old.xml, cpu: 2, memory_mib: 2048}" in vmha.said


def test_an_import_answers_programs_and_refuses_what_has_no_node(vmha: Vmha) -> None:
    vmha.cib.write_text(empty(3, FOREIGN + GUEST, KEPT), encoding="utf-8")
    assert vmha("import", "--json") == 0
    told = json.loads(vmha.said)
    assert "resource ip (ocf:heartbeat:IPaddr2) is no guest" in told["not_taken_over"]
    assert told["path"] is None
    parse(told["text"], "vmha.yaml")
    assert vmha("import", "--json", "-o", str(vmha.file)) == 0
    assert json.loads(vmha.said)["text"] is None
    assert vmha.file.read_text("utf-8") == told["text"]
    vmha.cib.write_text("<cib/>", encoding="utf-8")
    assert vmha("import", "--cib", str(vmha.cib)) == 2
    assert "no node, so there is nothing to import" in vmha.said


def test_a_saved_cib_that_does_not_answer_is_given_up_with_its_name(vmha: Vmha) -> None:
    fifo = f"{vmha.cib}.fifo"
    os.mkfifo(fifo)
    for words in (("diff", str(vmha.file)), ("import",)):
        started = time.monotonic()
        assert vmha(*words, "--cib", fifo, "--timeout", "0.5") == 2
        assert time.monotonic() - started < 10
        assert f"{fifo} could not be read within 0.5 s" in vmha.said


def test_an_undo_of_nothing_answers_programs_too(vmha: Vmha) -> None:
    assert vmha("undo", "--yes", "--json") == 1
    told = json.loads(vmha.said)
    assert told["undone"] is False
    assert told["changes"] == []
    assert told["against"] == ["nothing to undo: no apply of this node is kept"]


def test_an_undo_that_refuses_names_to_programs_what_was_changed(vmha: Vmha) -> None:
    vmha.on_file("apply", "--yes")
    vmha.change(lambda cib: _prioritise(cib, "web1", "77"))
    assert vmha("undo", "--yes", "--json") == 1
    told = json.loads(vmha.said)
    assert told["undone"] is False
    assert [(c["subject"], c["option"]) for c in told["conflicts"]] == [
        ("web1", "--force")
    ]


def _prioritise(cib: etree._Element, guest: str, priority: str) -> None:
    path = f".//primitive[@id='{guest}']/meta_attributes/nvpair[@name='priority']"
    pair = cib.find(path)
    assert pair is not None
    pair.set("value", priority)


def test_nothing_is_changed_where_nothing_can_be_kept(vmha: Vmha) -> None:
    folder = Path(f"{vmha.cib}.undo")
    folder.write_text("no folder", encoding="utf-8")
    before = vmha.cib.read_bytes()
    assert vmha.on_file("apply", "--yes") == 2
    assert "what undo needs cannot be kept" in vmha.said
    assert vmha.cib.read_bytes() == before
    assert vmha("undo", "--yes") == 2
    assert "what apply has kept cannot be read" in vmha.said
