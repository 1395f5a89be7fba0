"""Each check finds its fault, seeded into a healthy cluster, and nothing else ails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from unit.heartbeat.doctor.fencing_seeds import (
    banned_device,
    device_for_another,
    nobody_asked_it,
    shared_feed,
    stopped_device,
)
from unit.heartbeat.doctor.patient import NODES, Patient
from unit.heartbeat.doctor.seeds import SEEDS, ignored_by_default

from vmha.heartbeat.doctor import catalogue
from vmha.heartbeat.doctor.check import Severity
from vmha.heartbeat.doctor.examination import OK, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable

LIBVIRTS = ("running-twice", "running-unnoticed", "autostart", "disk-locks")
ROOT = Path(__file__).resolve().parents[4]
CASES = [
    (name, number) for name, seeds in SEEDS.items() for number in range(len(seeds))
]


def test_a_healthy_cluster_has_no_finding_and_no_gap() -> None:
    report = Patient().report()
    assert Patient().found() == []
    assert [r.check.id for r in report.results if r.unknown or r.passed_over] == []
    assert report.exit_code == OK


@pytest.mark.parametrize(("check", "number"), CASES)
def test_a_seeded_fault_is_found_by_its_check(check: str, number: int) -> None:
    seed, words = SEEDS[check][number]
    ill = Patient()
    seed(ill)
    told = [
        f"{subject}: {text}" for name, subject, text in ill.found() if name == check
    ]
    assert any(words in text for text in told), ill.found()


def test_a_device_that_has_fenced_needs_no_monitor_that_succeeded() -> None:
    ill = Patient()
    nobody_asked_it(ill)
    event = {"action": "off", "target": "n2", "is": "success", "by": "n1"}
    ill.tell("n1", "fencing", "history", value=[event])
    assert "fence-device-untested" not in {name for name, _, _ in ill.found()}


@pytest.mark.parametrize(
    ("levels", "is_found"),
    [
        (["vmha-fence-n1"], True),
        (["vmha-fence-n1,strip"], True),
        (["vmha-fence-n1", "strip"], False),
    ],
)
def test_a_level_that_needs_no_bmc_survives_the_loss_of_a_feed(
    levels: list[str], is_found: bool
) -> None:
    ill = Patient()
    shared_feed(ill)
    ill.drop(".//fencing-level[@target='n1']")
    whole = ill.one("configuration/fencing-topology")
    for index, devices in enumerate(levels, 1):
        words = {"id": f"l{index}", "target": "n1", "index": str(index)}
        etree.SubElement(whole, "fencing-level", {**words, "devices": devices})
    words = {"id": "strip", "class": "stonith", "type": "fence_apc"}
    etree.SubElement(ill.one("configuration/resources"), "primitive", words)
    found = [s for name, s, _ in ill.found() if name == "bmc-on-shared-power"]
    assert ("node n1" in found) == is_found


@pytest.mark.parametrize(
    ("check", "seed"),
    [
        ("fence-device-stopped", stopped_device),
        ("fence-device-banned", banned_device),
        ("fence-level-refused", device_for_another),
    ],
)
def test_a_device_that_is_not_used_is_graver_where_it_was_the_only_one(
    check: str, seed: Callable[[Patient], None]
) -> None:
    ill = Patient()
    seed(ill)
    assert severities(ill, check) == {Severity.ERROR}
    spare = ill.primitive("vmha-fence-n2")
    other = etree.fromstring(etree.tostring(spare))
    other.set("id", "spare")
    spare.addnext(other)
    ill.parameter("spare", "pcmk_host_list", "N1")
    topology = ill.one("configuration/fencing-topology")
    words = {"id": "l", "target": "n1", "index": "2", "devices": "spare"}
    etree.SubElement(topology, "fencing-level", words)
    assert severities(ill, check) == {Severity.WARNING}


def severities(ill: Patient, check: str) -> set[Severity]:
    report = ill.report()
    return {
        result.severity(finding)
        for result in report.results
        for finding in result.findings
        if result.check.id == check
    }


@pytest.mark.parametrize(
    ("operation", "value", "severity"),
    [
        ("stop", "ignore", Severity.ERROR),
        ("stop", "block", Severity.INFO),
        ("monitor", "ignore", Severity.WARNING),
        ("stop", "fence", None),
    ],
)
def test_only_a_stop_that_is_ignored_may_end_in_two_copies(
    operation: str, value: str, severity: Severity | None
) -> None:
    ill = Patient()
    path = f".//primitive[@id='web1']/operations/op[@name='{operation}']"
    ill.one(path).set("on-fail", value)
    assert severities(ill, "failure-ignored") == {severity} - {None}


def test_what_a_guest_says_itself_counts_over_the_defaults() -> None:
    ill = Patient()
    ignored_by_default(ill)
    for guest in ("db1", "web1", "web2"):
        for operation in ill.primitive(guest).iterfind("operations/op"):
            operation.set("on-fail", "fence")
    assert severities(ill, "failure-ignored") == set()


@pytest.mark.parametrize(
    "words", [{"name": "stop", "interval": "10s"}, {"name": "promote"}]
)
def test_a_default_for_other_operations_is_no_finding(words: dict[str, str]) -> None:
    ill = Patient()
    ignored_by_default(ill, ("op_expression", words))
    assert severities(ill, "failure-ignored") == set()


def test_a_default_by_the_time_of_day_is_not_known() -> None:
    ill = Patient()
    ignored_by_default(ill, ("date_expression", {"operation": "gt"}))
    (result,) = [r for r in ill.report().results if r.check.id == "failure-ignored"]
    assert result.findings == ()
    assert {gap.subject for gap in result.unknown} >= {"guest web1"}


def test_a_guest_that_the_file_leaves_unmanaged_is_no_finding() -> None:
    healthy = Patient()
    healthy.meta("web1", "is-managed", "false")
    healthy.meta("web1", "priority", "900000")
    assert "maintenance" not in {name for name, _, _ in healthy.found()}


def test_every_check_has_a_seeded_fault() -> None:
    assert sorted(SEEDS) == sorted(check.id for check in catalogue.checks())


def test_every_module_of_a_check_is_in_the_catalogue() -> None:
    folder = ROOT / "heartbeat/doctor/checks"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    told = {check.look.__module__.rpartition(".")[2] for check in catalogue.checks()}
    assert told == modules


def test_every_check_explains_itself_in_sentences() -> None:
    for check in catalogue.checks():
        assert check.explanation.endswith("."), check.id
        assert check.remedy.endswith("."), check.id
        assert check.title[0].isupper() or check.title.startswith("libvirt"), check.id
        assert not check.title.endswith("."), check.id


@pytest.mark.parametrize("check", sorted(SEEDS))
def test_a_check_finds_nothing_where_nothing_is_known(check: str) -> None:
    ill = Patient()
    ill.facts, ill.silent = {}, dict.fromkeys(NODES, "ssh cannot log in")
    (result,) = [r for r in ill.report().results if r.check.id == check]
    assert result.findings == ()


def test_a_silent_node_is_unknown_and_never_fine() -> None:
    ill = Patient()
    ill.silent = {"n3": "ssh cannot log in as root"}
    report = ill.report()
    assert ill.found() == []
    assert report.exit_code == UNKNOWN
    gaps = {gap.subject for r in report.results for gap in r.unknown}
    assert gaps == {"node n3"}


def test_a_part_that_a_node_cannot_tell_leaves_its_other_parts_known() -> None:
    ill = Patient()
    ill.facts["n2"]["libvirt"] = None
    ill.facts["n2"]["unknown"] = {"libvirt": "libvirt cannot be reached"}
    gaps = {
        result.check.id: [tuple(gap) for gap in result.unknown]
        for result in ill.report().results
        if result.unknown
    }
    unknown = [("node n2", "libvirt cannot be reached")]
    assert gaps == dict.fromkeys(LIBVIRTS, unknown)


def test_a_hint_leaves_the_exit_code_at_0() -> None:
    ill = Patient()
    ill.tell("n1", "time", "synchronised", value=False)
    report = ill.report()
    assert report.count(Severity.INFO) == 1
    assert report.exit_code == OK
