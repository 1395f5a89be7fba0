"""The doctor as a process: sources, exit codes, JSON, words for a person."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from contract import ocf_root
from lxml import etree
from unit.heartbeat.doctor.patient import NODES, Patient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    Vmha = Callable[..., subprocess.CompletedProcess[str]]

FILE = """\
cluster: {name: demo, token_ms: 1000}
nodes:
  n1:
    addresses: [10.0.0.1, 10.1.0.1]
    capacity: {cpu: 32, memory_mib: 65536}
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.1, username: admin,
                password_file: /etc/vmha/bmc.secret}]]
  n3:
    addresses: [10.0.0.3, 10.1.0.3]
    capacity: {cpu: 32, memory_mib: 65536}
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.3, username: admin,
                password_file: /etc/vmha/bmc.secret}]]
  n2:
    addresses: [10.0.0.2, 10.1.0.2]
    capacity: {cpu: 32, memory_mib: 65536}
guests:
  web1: {config: /srv/guests/web1.xml, cpu: 2, memory_mib: 4096}
  web2: {config: /srv/guests/web2.xml, cpu: 2, memory_mib: 4096}
rules:
  - {spread: [web1, web2]}
"""


DEVICE = """\
    fencing: [[{agent: fence_vmha_ipmi, ip: 10.0.9.2, username: admin,
                password_file: /etc/vmha/bmc.secret}]]
"""


@pytest.fixture(scope="session")
def vmha(tmp_path_factory: pytest.TempPathFactory) -> Vmha:
    program = ocf_root.build(tmp_path_factory.mktemp("doctor")) / "sbin/vmha"

    def run(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.run(
            [str(program), *map(str, words)],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={**environ, **more},
        )

    return run


@pytest.fixture
def patient() -> Patient:
    return Patient()


def saved(patient: Patient, folder: Path) -> list[object]:
    """Write the CIB and the facts; return the words that name them."""
    (folder / "cib.xml").write_bytes(etree.tostring(patient.cib))
    for node, told in patient.facts.items():
        (folder / f"{node}.json").write_text(json.dumps(told))
    facts = [folder / f"{node}.json" for node in sorted(patient.facts)]
    return ["--cib", folder / "cib.xml", "--facts", *facts]


def answer(done: subprocess.CompletedProcess[str]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def test_a_healthy_file_has_no_fault(vmha: Vmha, tmp_path: Path) -> None:
    (tmp_path / "vmha.yaml").write_text(FILE.replace("guests:\n", f"{DEVICE}guests:\n"))
    done = vmha("check", tmp_path / "vmha.yaml", "--json")
    assert answer(done)["findings"] == []
    assert done.returncode == 0, done.stderr


def test_a_file_without_fencing_is_an_error_for_monitoring(
    vmha: Vmha, tmp_path: Path
) -> None:
    (tmp_path / "vmha.yaml").write_text(FILE)
    done = vmha("check", tmp_path / "vmha.yaml")
    assert done.returncode == 2
    assert "node n2: no fence device names it" in done.stdout
    assert "pcs stonith create" in done.stdout


def test_a_healthy_cluster_from_saved_files_has_no_fault(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    done = vmha("check", *saved(patient, tmp_path), "--json")
    assert answer(done)["findings"] == []
    assert answer(done)["unknown"] == []
    assert done.returncode == 0, done.stderr


def test_a_fault_on_one_node_is_found_from_its_facts(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    patient.lacks("n3", "web1", "networks", "network lan is not defined")
    done = vmha("check", *saved(patient, tmp_path), "--json")
    (finding,) = answer(done)["findings"]
    assert finding["check"] == "guest-network"
    assert finding["subject"] == "guest web1"
    assert "on n3" in finding["text"]
    assert done.returncode == 2


def test_a_node_without_facts_is_named_as_not_known(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    del patient.facts["n2"]
    done = vmha("check", *saved(patient, tmp_path))
    assert "node n2: it was not asked" in done.stdout


def test_a_cib_alone_is_looked_at_and_the_rest_is_said_to_be_missing(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    patient.option("placement-strategy", "default")
    words = saved(patient, tmp_path)[:2]
    done = vmha("check", *words)
    assert "placement-strategy is default" in done.stdout
    assert "no node was asked" in done.stdout
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no XML"),
        ("<configuration/>", "begins with <cib>"),
        ("no xml at all", "no XML"),
        ("<cib><configuration>", "no XML"),
        ("<cib/>", "it has no node"),
        ("<cib><configuration><nodes/></configuration></cib>", "it has no node"),
    ],
)
def test_what_is_no_cluster_s_cib_is_bad_input(
    vmha: Vmha, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "cib.xml").write_text(text)
    done = vmha("check", "--cib", tmp_path / "cib.xml", "--json")
    assert done.returncode == 2
    (error,) = answer(done)["errors"]
    assert str(tmp_path / "cib.xml") in error["message"]
    assert words in error["message"]


@pytest.mark.parametrize("name", ["missing.json", "list.json", "old.json"])
def test_what_is_no_facts_is_bad_input(vmha: Vmha, tmp_path: Path, name: str) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "old.json").write_text('{"form": 0, "node": "n1"}')
    done = vmha("check", "--facts", tmp_path / name)
    assert done.returncode == 2
    assert name in done.stderr


def test_facts_of_another_shape_count_as_not_told(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    patient.facts["n2"].update(libvirt=[], guests="none", fencing=7, time=None)
    done = vmha("check", *saved(patient, tmp_path), "--json")
    gaps = {gap["subject"] for gap in answer(done)["unknown"]}
    assert gaps == {"node n2"}
    assert answer(done)["findings"] == []


def test_a_bad_cluster_file_is_2_with_all_its_errors(
    vmha: Vmha, tmp_path: Path
) -> None:
    (tmp_path / "bad.yaml").write_text("nodes: {n1: {capacity: {cpu: x}}}\nfoo: 1\n")
    done = vmha("check", tmp_path / "bad.yaml", "--json")
    assert done.returncode == 2
    assert len(answer(done)["errors"]) > 1


def test_without_a_cluster_here_nothing_is_known(vmha: Vmha) -> None:
    done = vmha("check")
    assert done.returncode == 3
    assert "cibadmin" in done.stderr


def test_the_catalogue_is_listed_with_explanations(vmha: Vmha) -> None:
    done = vmha("check", "--list")
    assert done.returncode == 0
    assert "xml-drift (warning)" in done.stdout
    assert "Remedy:" in done.stdout
    listed = json.loads(vmha("check", "--list", "--json").stdout)
    assert {"id", "group", "title", "severity", "explanation", "remedy"} == set(
        listed[0]
    )


def test_node_facts_tells_what_it_can_and_why_not_the_rest(vmha: Vmha) -> None:
    done = vmha("node-facts", "--json")
    told = answer(done)
    assert done.returncode == 0
    assert told["form"] == 1
    assert told["host"]["cpus"] > 0
    for name in ("corosync", "guests", "fencing"):
        assert told[name] is not None or told["unknown"][name]


def test_status_of_a_saved_cluster_shows_all_of_it(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    words = saved(patient, tmp_path)
    done = vmha("status", CIB_file=str(words[1]))
    assert done.returncode == 0, done.stderr
    for part in (*NODES, "web1", "vmha-fence-n2", "any failure would be survived"):
        assert part in done.stdout
    told = answer(vmha("status", "--json", CIB_file=str(words[1])))
    assert told["well"]
    assert {g["name"]: g["node"] for g in told["guests"]} == {
        "db1": "n1",
        "web1": "n2",
        "web2": "n3",
    }


def test_explain_says_why_here_and_why_not_there(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    words = saved(patient, tmp_path)
    done = vmha("explain", "web1", CIB_file=str(words[1]))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("web1 runs on n2: ")
    assert "n3: web2 runs there, and a rule keeps them apart" in done.stdout
    told = answer(vmha("explain", "web1", "--json", CIB_file=str(words[1])))
    assert told["nodes"]["n3"]["obstacles"][0]["code"] == "apart"


def test_explain_says_why_down_of_a_guest_whose_node_is_lost(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    state = patient.one("status/node_state[@uname='n2']")
    for name, value in {"in_ccm": "false", "crmd": "offline"}.items():
        state.set(name, value)
    words = saved(patient, tmp_path)
    done = vmha("explain", "web1", CIB_file=str(words[1]))
    assert done.returncode == 1, done.stderr
    said = "web1 is not known to run: it was on n2, which is lost and not yet proven"
    assert done.stdout.startswith(said)


def test_explain_of_a_guest_that_is_not_there_guesses_the_right_one(
    vmha: Vmha, patient: Patient, tmp_path: Path
) -> None:
    words = saved(patient, tmp_path)
    done = vmha("explain", "wbe1", CIB_file=str(words[1]))
    assert done.returncode == 2
    assert "did you mean web1?" in done.stderr


@pytest.mark.parametrize("name", ["status", "explain", "check"])
def test_help_describes_exit_codes_and_shows_examples(vmha: Vmha, name: str) -> None:
    done = vmha(name, "--help")
    assert done.returncode == 0
    assert "Exit codes" in done.stdout
    assert "examples:" in done.stdout
