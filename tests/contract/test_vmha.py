"""The command ``vmha`` as a process: exit codes, JSON, errors, help, start-up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from contract.command import FULL, ROOMY, SCHEMA, Vmha
from lxml import etree

from vmha.agents.protocol.version import VERSION
from vmha.heartbeat.clusterfile import planned, reading
from vmha.heartbeat.pacemaker import confirmation
from vmha.heartbeat.planning.reasons import REASONS


@pytest.fixture
def vmha(tmp_path: Path) -> Vmha:
    return Vmha.built(tmp_path)


def test_version_and_help_go_to_standard_output(vmha: Vmha) -> None:
    assert vmha("--version").stdout == f"vmha {VERSION}\n"
    for words in (["--help"], ["help"], []):
        done = vmha(*words)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: vmha SUBCOMMAND")
        assert "\n  plan " in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= 88


def test_every_subcommand_explains_itself_with_examples(vmha: Vmha) -> None:
    listed = [
        line.split()[0]
        for line in vmha("--help").stdout.splitlines()
        if line.startswith("  ") and not line.strip().startswith("-")
    ]
    assert {"plan", "whatif"} <= set(listed)
    for name in listed:
        done = vmha(name, "--help")
        assert (done.returncode, done.stderr) == (0, ""), name
        assert f"usage: vmha {name}" in done.stdout
        assert f"  vmha {name} " in done.stdout.partition("examples:")[2], name
        assert vmha("help", name).stdout == done.stdout


def test_help_loads_no_library_that_only_the_work_needs(vmha: Vmha) -> None:
    heavy = {"jsonschema", "libvirt", "lxml", "rich", "subprocess", "yaml"}
    for words in (["--help"], ["--version"], ["plan", "--help"]):
        argv = [sys.executable, "-I", "-X", "importtime", str(vmha.path), *words]
        shown = subprocess.run(
            argv, capture_output=True, text=True, check=True, timeout=60
        ).stderr
        loaded = {line.rpartition("|")[2].strip() for line in shown.splitlines()}
        assert "vmha.heartbeat.command.main" in loaded
        assert {name.partition(".")[0] for name in loaded} & heavy == set()


def test_a_cluster_that_tolerates_what_it_should_is_exit_code_0(vmha: Vmha) -> None:
    answer = vmha.answer("plan", vmha.file(ROOMY), code=0)
    assert answer["tolerates"] == 1
    assert [failure["lost"] for failure in answer["failures"]] == [
        ["n1"],
        ["n2"],
        ["n3"],
    ]
    assert answer["failures"][0]["placed"].keys() == {"a"}
    (down,) = answer["failures"][2]["unplaced"]
    assert (down["guest"], down["reason"]) == ("d", "not-ha")
    assert answer["headroom"]["n3"] == {"cpu": 6, "memory_mib": 4191}


def test_one_that_does_not_is_exit_code_1_and_says_who_stays_down(vmha: Vmha) -> None:
    answer = vmha.answer("plan", vmha.file(FULL), code=1)
    assert answer["tolerates"] == 0
    down = {entry["guest"]: entry for entry in answer["failures"][2]["unplaced"]}
    assert down.keys() == {"c", "d"}
    assert down["c"]["reason"] == "capacity"
    assert "needs 4000 MiB; the most that is free" in down["c"]["text"]


@pytest.mark.parametrize(
    ("cpu_ratio", "memory_mib", "down"),
    [
        (1.0, 65536, 11),  # by processors
        (1.2, 65536, 5),  # by memory
        (2.0, 65536, 5),
        (2.0, 69468, 1),  # the sums fit, 25 equal guests do not halve
    ],
)
def test_the_example_of_three_hosts_is_not_safe_with_one_lost(
    vmha: Vmha, cpu_ratio: float, memory_mib: int, down: int
) -> None:
    """Three hosts of 32 cores and 64 GB with 25 guests of 1 core and 1.8 GB each."""
    size = f"{{cpu: 32, memory_mib: {memory_mib}}}"
    nodes = "".join(
        f"  n{n}: {{capacity: {size}, cpu_ratio: {cpu_ratio}}}\n" for n in range(3)
    )
    guests = "".join(
        f"  g{n:02}: {{cpu: 1, memory_mib: 1843, runs_on: n{n % 3}}}\n"
        for n in range(75)
    )
    path = vmha.file(f"cluster: {{name: text}}\nnodes:\n{nodes}guests:\n{guests}")
    answer = vmha.answer("plan", path, code=1)
    assert (answer["tolerates"], answer["warnings"]) == (0, [])
    for failure in answer["failures"]:
        assert len(failure["placed"]) == 25 - down
        assert {entry["reason"] for entry in failure["unplaced"]} == {"capacity"}
        assert failure["could_place"] == []


def test_pairs_follow_singles_and_a_rack_is_one_failure(vmha: Vmha) -> None:
    path = vmha.file(ROOMY)
    pairs = vmha.answer("plan", path, "--failures", "2", code=0)
    assert [len(failure["lost"]) for failure in pairs["failures"]] == [1] * 3 + [2] * 3
    assert pairs["tolerates"] == 1
    racks = vmha.answer("plan", path, "--failures", "rack", code=1)
    assert [failure["lost"] for failure in racks["failures"]] == [["n3"], ["n1", "n2"]]
    assert {entry["reason"] for entry in racks["failures"][1]["unplaced"]} >= {
        "no-quorum"
    }


def test_fewer_failures_than_the_policys_do_not_change_the_verdict(vmha: Vmha) -> None:
    path = vmha.file(f"{ROOMY}policy: {{tolerate: 2}}\n")
    assert vmha.answer("plan", path, "--failures", "1", code=1)["tolerates"] == 1


def test_fit_tells_how_many_more_guests_have_a_place(vmha: Vmha) -> None:
    path = vmha.file(ROOMY)
    fits = vmha.answer("plan", path, "--fit", "1,4096", code=0)["fit"]
    more = "".join(f"  m{n}: {{cpu: 1, memory_mib: 4096}}\n" for n in range(fits))
    vmha.answer("plan", vmha.file(ROOMY + more), code=0)
    one_too_many = f"{more}  n: {{cpu: 1, memory_mib: 4096}}\n"
    vmha.answer("plan", vmha.file(ROOMY + one_too_many), code=1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--kill", "n1"], 0),
        (["--kill", "n3,n2"], 1),
        (["--standby", "n3"], 0),
        (["--add", "x=1,100"], 0),
        (["--add", "x=1,9000"], 1),
        (["--remove", "a"], 0),
        (["--resize", "a=,8192"], 1),
        (["--resize", "a=2,"], 0),
    ],
)
def test_one_change_is_answered_like_a_plan(
    vmha: Vmha, words: list[str], code: int
) -> None:
    path = vmha.file(ROOMY)
    done = vmha("whatif", path, *words, "--json")
    answer = json.loads(done.stdout)
    jsonschema.Draft7Validator(SCHEMA).validate(answer)
    assert len(answer["failures"]) == 1
    assert done.returncode == code, answer


def test_all_errors_of_a_file_are_told_with_lines_and_nothing_else(vmha: Vmha) -> None:
    bad = f"{ROOMY}  e: {{cpu: two, memory_mib: 1}}\nrules:\n  - {{spread: [a, zz]}}\n"
    path = vmha.file(bad)
    errors = vmha.answer("plan", path, code=2)["errors"]
    assert [(error["line"], error["path"]) for error in errors] == [
        (11, "guests.e.cpu"),
        (13, "rules[0].spread[1]"),
    ]
    told = vmha("plan", path)
    assert (told.returncode, told.stdout) == (2, "")
    first, second, count = told.stderr.splitlines()
    assert first.startswith(f"{path}:11: guests.e.cpu: 'two' is not accepted")
    assert second.startswith(f"{path}:13: rules[0].spread[1]: there is no guest 'zz'")
    assert count == "2 errors; nothing was done"


@pytest.mark.parametrize(
    ("words", "path", "fragment"),
    [
        (["plam"], "", "did you mean plan?"),
        (["plan"], "FILE", "give a cluster file"),
        (["plan", "--live", "x"], "--live", "not both"),
        (["plan", "x", "--failures", "0"], "", "neither a whole number"),
        (["plan", "x", "--fit", "2"], "", "CPU,MEMORY_MIB"),
        (["plan", "x", "--frobnicate"], "", "--frobnicate"),
        (["plan", "/nonexistent/vmha.yaml"], "", "No such file"),
        (["whatif", "FILE"], "", "--kill"),
        (
            ["whatif", "FILE", "--kill", "n9"],
            "--kill",
            "node n9 is not there; known: n1",
        ),
        (["whatif", "FILE", "--kill", ","], "--kill", "at least one node"),
        (["whatif", "FILE", "--add", "a=1,1"], "--add", "is there already"),
        (["whatif", "FILE", "--add", "bad name=1,1"], "--add", "a resource name"),
        (["whatif", "FILE", "--resize", "a=x,1"], "", "is not GUEST=CPU,MEMORY_MIB"),
        (["whatif", "FILE", "--remove", "zz"], "--remove", "known: a, b, c, d"),
    ],
)
def test_bad_usage_is_exit_code_2_in_words_and_as_json(
    vmha: Vmha, words: list[str], path: str, fragment: str
) -> None:
    words = [vmha.file(ROOMY) if word == "FILE" else word for word in words]
    (error,) = vmha.answer(*words, code=2)["errors"]
    assert (error["line"], error["path"]) == (None, path)
    assert fragment in error["message"]
    told = vmha(*words)
    assert (told.returncode, told.stdout) == (2, "")
    assert fragment in told.stderr
    assert "Traceback" not in told.stderr


def test_a_file_may_come_from_standard_input(vmha: Vmha) -> None:
    done = vmha("plan", "-", text=ROOMY)
    assert done.returncode == 0, done.stderr
    assert "The loss of any 1 node is tolerated" in done.stdout


def test_words_and_json_tell_the_same(vmha: Vmha) -> None:
    path = vmha.file(FULL)
    told = vmha("plan", path, "--all").stdout
    answer = vmha.answer("plan", path, code=1)
    for warning in answer["warnings"]:
        assert f"warning: {warning}" in told
    for failure in answer["failures"]:
        for entry in failure["unplaced"]:
            assert entry["text"] in told
    assert "Not every loss of a node is tolerated" in told


def test_pacemakers_own_scheduler_confirms_the_plan(vmha: Vmha) -> None:
    told = vmha("plan", vmha.file(FULL)).stdout
    assert told.splitlines()[-1] == "crm_simulate agrees on 3 failures."
    assert "crm_simulate" not in vmha("plan", vmha.file(FULL), "--no-confirm").stdout


def test_a_running_cluster_is_planned_like_the_file_it_came_from(vmha: Vmha) -> None:
    path = vmha.file(FULL)
    cluster = planned.cluster_of(reading.read(path))
    saved = vmha.folder / "cib.xml"
    saved.write_text(etree.tostring(confirmation.document(cluster), encoding="unicode"))
    done = vmha("plan", "--live", "--json", CIB_file=str(saved))
    assert done.returncode == 1, done.stderr
    live = json.loads(done.stdout)
    jsonschema.Draft7Validator(SCHEMA).validate(live)
    of_file = vmha.answer("plan", path, code=1)
    assert live["failures"] == of_file["failures"]
    assert live["headroom"] == of_file["headroom"]
    killed = vmha("whatif", "--live", "--kill", "n3", CIB_file=str(saved))
    assert "crm_simulate agrees on 1 failure." in killed.stdout


def test_a_node_in_standby_takes_no_guest_of_another(vmha: Vmha) -> None:
    cluster = planned.cluster_of(reading.read(vmha.file(ROOMY)))
    whole = confirmation.document(cluster)
    (node,) = whole.iterfind("configuration/nodes/node[@uname='n1']")
    attributes = etree.SubElement(node, "instance_attributes", id="n1-attributes")
    etree.SubElement(attributes, "nvpair", id="n1-standby", name="standby", value="on")
    saved = vmha.folder / "cib.xml"
    saved.write_text(etree.tostring(whole, encoding="unicode"))
    done = vmha("whatif", "--live", "--kill", "n2", "--json", CIB_file=str(saved))
    answer = json.loads(done.stdout)
    assert "Node n1 is in standby and takes no guest." in answer["warnings"]
    (outcome,) = answer["failures"]
    assert "n1" not in outcome["placed"].values()
    done = vmha("plan", "--live", "--json", CIB_file=str(saved))
    for outcome in json.loads(done.stdout)["failures"]:
        assert "n1" not in outcome["placed"].values()


def test_a_cluster_that_is_not_there_is_an_error_that_says_so(vmha: Vmha) -> None:
    done = vmha("plan", "--live", "--json", CIB_file="/nonexistent/cib.xml")
    assert done.returncode == 2
    (error,) = json.loads(done.stdout)["errors"]
    assert error["message"]
    assert error["line"] is None


def test_the_order_of_the_file_changes_no_byte_of_the_answer(vmha: Vmha) -> None:
    lines = FULL.splitlines(keepends=True)
    turned = [lines[1], *lines[4:1:-1], lines[0], lines[5], *lines[:5:-1]]
    first = vmha("plan", vmha.file(FULL), "--json").stdout
    assert vmha("plan", vmha.file("".join(turned)), "--json").stdout == first


def test_a_reader_that_has_enough_is_no_error(vmha: Vmha) -> None:
    path = vmha.file(FULL)
    script = f"{vmha.path} plan {path} --json | head -n 1"
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_the_schema_lists_every_reason_and_is_one(vmha: Vmha) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    unplaced = SCHEMA["definitions"]["failure"]["properties"]["unplaced"]
    assert unplaced["items"]["properties"]["reason"]["enum"] == list(REASONS)
