"""Monitor, start and migrate_from in virtual time, over what two witnesses say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from unit.agents import world
from unit.agents.world import URI, UUID, Clock

from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.agent import Outcome
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import AgentError
from vmha.agents.vm.arrival import migrate_from
from vmha.agents.vm.emulator import QEMU, Emulator
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.lifecycle import start
from vmha.agents.vm.monitor import monitor
from vmha.agents.vm.observation import Observation
from vmha.agents.vm.record import MOVES, STARTS, Record, RecordStore
from vmha.agents.vm.states import Process

OTHER = "99999999-2222-3333-4444-555555555555"
View = tuple[State, Process]
RUNS: View = (State.RUNNING, Process.PRESENT)
GONE: View = (State.ABSENT, Process.NONE)


class Eyes:
    """Sees each guest as a list of views tells; the last one stays.

    ``listed`` is what runs here without a record.
    """

    def __init__(self, clock: Clock, **views: list[View]) -> None:
        self.clock = clock
        self.views = {name: list(seen) for name, seen in views.items()}
        self.listed: list[str] | None = []
        self.came: list[Sight] = []
        self.looks = 0

    def look(
        self, identity: Identity, deadline: Deadline, with_processes: bool = True
    ) -> Observation:
        self.looks += 1
        self.clock.sleep(0.02)
        views = self.views.get(identity.name, [GONE])
        state, process = views.pop(0) if len(views) > 1 else views[0]
        present = process is Process.PRESENT
        emulator = Emulator(1, QEMU, identity.name, identity.uuid, True)
        sight = Sight(state, name=identity.name, uuid=identity.uuid)
        silence = "libvirt gave no answer" if state is State.SILENT else ""
        return Observation(
            identity, sight, process, emulator if present else None, None, silence
        )

    def arrived(
        self, uri: str, name: str, store: RecordStore, instance: str, deadline: Deadline
    ) -> list[Sight]:
        return self.came

    def ages_s(self, uri: str) -> dict[str, float]:
        return {sight.uuid: 5.0 for sight in self.came}

    def unaccounted(
        self, uri: str, store: RecordStore, instance: str, deadline: Deadline
    ) -> list[str] | None:
        return self.listed


class Node:
    """A node with a resource vm1 whose file declares vm1."""

    def __init__(self, folder: Path, **views: list[View]) -> None:
        self.clock = Clock()
        self.eyes = Eyes(self.clock, **views)
        self.config = folder / "vm1.xml"
        self.config.write_text(
            f"<domain type='kvm'><name>vm1</name><uuid>{UUID}</uuid></domain>"
        )
        self.store = RecordStore(str(folder / "records"))

    def record(self, name: str = "vm1", uuid: str = UUID, uri: str = URI) -> None:
        record = Record(name, uuid, QEMU, uri, str(self.config))
        self.store.write("vm1", record)

    def do(self, action: str, interval_s: int = 0, **given: str) -> Outcome:
        wanted = {"config": str(self.config), **given}
        call = world.operation(action, wanted, 20, self.clock, interval_s)
        handler = {"monitor": monitor, "start": start, "migrate_from": migrate_from}
        eyes: Any = self.eyes
        try:
            return handler[action](call, eyes, self.store)
        except AgentError as error:
            return Outcome(error.exit_code, str(error))


def test_a_guest_is_adopted_by_its_first_good_monitor(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    assert node.do("monitor").exit_code == 0
    record = node.store.read("vm1")
    assert record is not None
    assert (record.name, record.uuid, record.uri) == ("vm1", UUID, URI)


def test_a_guest_that_does_not_run_is_not_recorded(tmp_path: Path) -> None:
    node = Node(tmp_path)
    assert node.do("monitor").exit_code == 7
    assert node.store.read("vm1") is None


def test_a_recurring_monitor_looks_once_and_reads_no_file(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    node.record()
    node.config.unlink()
    assert node.do("monitor", interval_s=10).exit_code == 0
    assert node.eyes.looks == 1


@pytest.mark.parametrize("interval_s", [0, 10])
def test_a_silent_libvirt_and_a_living_emulator_are_running(
    tmp_path: Path, interval_s: int
) -> None:
    node = Node(tmp_path, vm1=[(State.SILENT, Process.PRESENT)])
    node.record()
    assert node.do("monitor", interval_s=interval_s).exit_code == 0


@pytest.mark.parametrize("first", [Process.PRESENT, Process.UNREADABLE])
def test_an_emulator_that_is_just_ending_is_looked_at_again(
    tmp_path: Path, first: Process
) -> None:
    node = Node(tmp_path, vm1=[(State.ABSENT, first), GONE])
    node.record()
    assert node.do("monitor", interval_s=10).exit_code == 7


def test_an_orphan_that_stays_is_a_failure_not_an_absence(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[(State.ABSENT, Process.PRESENT)])
    node.record()
    assert node.do("monitor").exit_code == 1


def test_the_guest_that_the_file_no_longer_means_is_told(tmp_path: Path) -> None:
    node = Node(tmp_path, old=[RUNS])
    node.record("old", OTHER)
    outcome = node.do("monitor")
    assert outcome.exit_code == 1
    assert "guest old" in outcome.sentence


def test_a_record_of_a_guest_that_is_gone_is_in_nobodys_way(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    node.record("old", OTHER)
    assert node.do("monitor").exit_code == 0
    assert node.do("start").exit_code == 0


def test_a_guest_stays_found_after_hypervisor_was_changed(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    node.record()
    assert node.do("monitor", hypervisor="test:///default").exit_code == 0


@pytest.mark.parametrize(
    ("listed", "code"), [([], 7), ([OTHER], 1), (None, 1)], ids=["none", "one", "?"]
)
def test_without_any_name_not_running_needs_an_empty_node(
    tmp_path: Path, listed: list[str] | None, code: int
) -> None:
    node = Node(tmp_path)
    node.config.unlink()
    node.eyes.listed = listed
    outcome = node.do("monitor")
    assert outcome.exit_code == code
    assert str(node.config) in outcome.sentence


def test_a_typo_in_monitor_scripts_takes_nothing_down(tmp_path: Path) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    outcome = node.do("monitor", interval_s=10, monitor_scripts="relative")
    assert outcome.exit_code == 0


@pytest.mark.parametrize(
    ("text", "code"), [("exit 0", 0), ("exit 3", 1), (None, 1)], ids=str
)
def test_a_monitor_script_decides(tmp_path: Path, text: str | None, code: int) -> None:
    node = Node(tmp_path, vm1=[RUNS])
    script = tmp_path / "check"
    if text:
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    outcome = node.do("monitor", interval_s=10, monitor_scripts=str(script))
    assert outcome.exit_code == code
    assert node.do("monitor", monitor_scripts=str(script)).exit_code == 0


def test_a_start_refuses_beside_the_guest_it_started_before(tmp_path: Path) -> None:
    node = Node(tmp_path, old=[RUNS])
    node.record("old", OTHER)
    outcome = node.do("start")
    assert outcome.exit_code == 1
    assert "guest old" in outcome.sentence


def test_a_start_waits_for_a_libvirt_that_comes_back(tmp_path: Path) -> None:
    silent = (State.SILENT, Process.PRESENT)
    node = Node(tmp_path, vm1=[silent] * 5 + [RUNS])
    assert node.do("start").exit_code == 0


def test_a_start_waits_for_another_guests_emulator_to_end(tmp_path: Path) -> None:
    blurred = (State.SHUT_OFF, Process.UNREADABLE)
    node = Node(tmp_path, vm1=[blurred] * 3 + [RUNS])
    assert node.do("start").exit_code == 0


@pytest.mark.parametrize(
    "view",
    [
        (State.SILENT, Process.PRESENT),
        (State.SILENT, Process.NONE),
        (State.ABSENT, Process.PRESENT),
        (State.ABSENT, Process.UNREADABLE),
        (State.MIGRATING, Process.PRESENT),
        (State.SHUTTING_DOWN, Process.PRESENT),
    ],
)
def test_a_start_that_cannot_be_decided_fails_in_time(
    tmp_path: Path, view: View
) -> None:
    node = Node(tmp_path, vm1=[view])
    assert node.do("start").exit_code == 1
    assert node.clock.now_s <= 20


def test_an_arrival_is_recorded(tmp_path: Path) -> None:
    arriving = (State.MIGRATING, Process.PRESENT)
    node = Node(tmp_path, vm1=[arriving] * 40 + [RUNS])
    assert node.do("migrate_from").exit_code == 0
    assert node.store.read("vm1") is not None


@pytest.mark.parametrize(
    ("view", "soon"),
    [
        (GONE, True),
        ((State.MIGRATING, Process.PRESENT), False),
        ((State.SILENT, Process.PRESENT), False),
    ],
)
def test_an_arrival_that_does_not_come_ends_in_time(
    tmp_path: Path, view: View, soon: bool
) -> None:
    node = Node(tmp_path, vm1=[view])
    outcome = node.do("migrate_from")
    assert outcome.exit_code == 1
    assert node.clock.now_s <= (5 if soon else 20.5)


def test_a_start_that_libvirt_may_still_carry_out_is_never_not_running(
    tmp_path: Path,
) -> None:
    node = Node(tmp_path, vm1=[(State.SILENT, Process.BEGUN)])
    assert node.do("monitor").exit_code == 1


def test_a_guest_created_anew_by_hand_is_found_by_a_recurring_monitor(
    tmp_path: Path,
) -> None:
    """Its file gives no UUID; the recorded one is gone, the name is there."""
    node = Node(tmp_path, vm1=[GONE, RUNS])
    node.record()
    assert node.do("monitor", interval_s=10).exit_code == 0
    assert node.eyes.looks == 2


def test_a_probe_beside_a_start_or_a_migration_never_says_not_running(
    tmp_path: Path,
) -> None:
    """A cleanup makes Pacemaker forget them and probe while they are under way."""
    for action in (STARTS, MOVES):
        node = Node(tmp_path)
        assert node.do("monitor").exit_code == 7
        held = node.store.hold("vm1", action)
        assert held is not None
        assert node.do("monitor").exit_code == 1
        os.close(held)
        assert node.do("monitor").exit_code == 7


def test_a_probe_during_which_a_start_begins_does_not_say_not_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = Node(tmp_path)
    look = node.eyes.look
    held: list[int] = []

    def look_while_a_start_begins(*args: Any, **words: Any) -> Observation:
        descriptor = node.store.hold("vm1", STARTS)
        assert descriptor is not None
        held.append(descriptor)
        return look(*args, **words)

    monkeypatch.setattr(node.eyes, "look", look_while_a_start_begins)
    assert node.do("monitor").exit_code == 1
    os.close(held[0])
