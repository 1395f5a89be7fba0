"""What apply keeps, and how it is taken back."""

from __future__ import annotations

import copy
import os
import stat
from typing import TYPE_CHECKING

from clusters.examples import THREE, configuration, live
from lxml import etree

from vmha.heartbeat.clusterfile.reading import parse
from vmha.heartbeat.pacemaker.difference import changes
from vmha.heartbeat.pacemaker.target import canonical, target
from vmha.heartbeat.pacemaker.undo import KEPT, Journal, Step, steps, undone

if TYPE_CHECKING:
    from pathlib import Path

BEFORE = live()
AFTER = target(BEFORE, configuration(parse(THREE, "vmha.yaml"))).cib


def part(cib: etree._Element, path: str) -> etree._Element:
    found = cib.find(path)
    assert found is not None
    return found


def test_taking_back_restores_every_element() -> None:
    cib, changed = undone(AFTER, steps(BEFORE, AFTER))
    assert changed == []
    assert etree.tostring(cib) == etree.tostring(BEFORE)


def test_taking_back_a_removal_puts_the_element_where_it_stood() -> None:
    less = copy.deepcopy(AFTER)
    gone = part(less, ".//primitive[@id='own']")
    part(less, "configuration/resources").remove(gone)
    cib, changed = undone(less, steps(AFTER, less))
    assert changed == []
    assert etree.tostring(cib) == etree.tostring(AFTER)


def test_what_others_changed_is_told_and_left() -> None:
    since = copy.deepcopy(AFTER)
    part(since, ".//primitive[@id='db1']//nvpair[@name='priority']").set("value", "1")
    cib, changed = undone(since, steps(BEFORE, AFTER))
    assert changed == ["db1"]
    assert cib.find(".//primitive[@id='db1']") is not None
    forced, _ = undone(since, steps(BEFORE, AFTER), force=True)
    assert changes(BEFORE, forced) == ()


def test_what_others_have_taken_back_already_is_no_conflict() -> None:
    since = copy.deepcopy(AFTER)
    part(since, "configuration/constraints").clear()
    cib, changed = undone(since, steps(BEFORE, AFTER))
    assert changed == []
    assert changes(BEFORE, cib) == ()


def test_a_journal_gives_back_what_was_written(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "undo"))
    assert journal.latest() is None
    made = steps(BEFORE, AFTER)
    journal.write(made, {"file": "a.yaml"})
    path = journal.write(made, {"file": "b.yaml"})
    found = journal.latest()
    assert found is not None
    assert found[0] == path
    assert found[2]["file"] == "b.yaml"
    assert [_told(step) for step in found[1]] == [_told(step) for step in made]
    journal.drop(path)
    before = journal.latest()
    assert before is not None
    assert before[2]["file"] == "a.yaml"


def test_a_journal_is_roots_alone_and_bounded(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "undo"))
    old_mask = os.umask(0)
    try:
        for _ in range(KEPT + 3):
            path = journal.write([], {})
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(tmp_path / "undo").st_mode) == 0o700
    assert len(os.listdir(tmp_path / "undo")) == KEPT


def _told(step: Step) -> tuple[object, ...]:
    pair = (step.before, step.after)
    texts = [None if one is None else canonical(one) for one in pair]
    return step.container, step.ident, step.next_id, *texts
