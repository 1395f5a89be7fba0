"""Which guest a failed migrate_from takes for the one that has arrived."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.agents import world
from unit.agents.world import UUID, Notebook

from vmha.agents import cib
from vmha.agents.cib import Configuration
from vmha.agents.hypervisor.domains import Sight
from vmha.agents.hypervisor.state import State
from vmha.agents.protocol.agent import Outcome
from vmha.agents.protocol.deadline import Deadline
from vmha.agents.protocol.errors import Unreachable
from vmha.agents.vm import newcomer
from vmha.agents.vm.arrival import migrate_from
from vmha.agents.vm.identity import Identity
from vmha.agents.vm.newcomer import Candidate
from vmha.agents.vm.observation import Observation
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.states import Process

OTHER = "99999999-2222-3333-4444-555555555555"
THIRD = "77777777-2222-3333-4444-555555555555"
FOURTH = "66666666-2222-3333-4444-555555555555"
HOUR_S = 3600.0


class Cluster:
    """A cluster whose configuration has a resource for each given agent and value."""

    def __init__(self, *resources: tuple[str, str, str]) -> None:
        self.asked = 0
        self.text = "".join(
            f'<primitive id="r{n}" class="ocf" provider="x" type="{kind}">'
            f'<instance_attributes id="i{n}"><nvpair id="p{n}" name="{name}" '
            f'value="{value}"/></instance_attributes></primitive>'
            for n, (kind, name, value) in enumerate(resources)
        )

    def read(self, _deadline: Deadline) -> Configuration:
        self.asked += 1
        return cib.parse(
            f"<cib><configuration><resources>{self.text}"
            "</resources></configuration></cib>"
        )


class Dead(Cluster):
    def read(self, _deadline: Deadline) -> Configuration:
        raise Unreachable("cibadmin did not end within 2.0 s and was killed")


class Eyes:
    """Sees the meant guest nowhere, and others with the ages of their emulators."""

    def __init__(self, *seen: tuple[str, str, float | None]) -> None:
        self.seen = seen

    def look(self, identity: Identity, _deadline: Deadline) -> Observation:
        sight = Sight(State.ABSENT, stranger=OTHER)  # so that nobody waits for it
        return Observation(identity, sight, Process.NONE, None, None, "")

    def arrived(
        self, uri: str, name: str, store: RecordStore, instance: str, deadline: Deadline
    ) -> list[Sight]:
        return [Sight(State.RUNNING, name=n, uuid=u) for n, u, _ in self.seen]

    def ages_s(self, _uri: str) -> dict[str, float]:
        return {uuid: age_s for _, uuid, age_s in self.seen if age_s is not None}


class Target:
    """The target of a migration of resource vm1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = RecordStore(str(folder / "records"))
        self.config = self.file("vm1", "vm1", UUID)
        self.lines: list[str] = []
        self.instance = "vm1"

    def file(self, stem: str, name: str, uuid: str) -> Path:
        path = self.folder / f"{stem}.xml"
        path.write_text(f"<domain><name>{name}</name><uuid>{uuid}</uuid></domain>")
        return path

    def migrate_from(self, eyes: Eyes, cluster: Cluster | None = None) -> Outcome:
        call = world.operation("migrate_from", {"config": str(self.config)})
        call.log, call.instance = Notebook(self.lines), self.instance
        observer: Any = eyes
        local: Any = cluster or Cluster()
        return migrate_from(call, observer, self.store, local)

    @property
    def taken(self) -> str | None:
        record = self.store.read(self.instance)
        return record.name if record else None


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(tmp_path)


def test_what_has_just_come_and_is_nobodys_is_taken(target: Target) -> None:
    outcome = target.migrate_from(Eyes(("web", OTHER, 5.0)))
    assert outcome.exit_code == 1
    assert "differ" in outcome.sentence
    assert target.store.read("vm1") == Record(
        "web", OTHER, "qemu", world.URI, str(target.config)
    )


def test_it_is_taken_as_well_where_this_nodes_file_is_gone(target: Target) -> None:
    target.config.unlink()
    assert target.migrate_from(Eyes(("vm1", UUID, 5.0))).exit_code == 1
    assert target.taken == "vm1"


@pytest.mark.parametrize("age_s", [HOUR_S, 40 * 24 * HOUR_S, None])
def test_a_guest_that_came_long_ago_or_nobody_knows_when_is_left_alone(
    target: Target, age_s: float | None
) -> None:
    """libvirt says of a guest for ever that it came by a migration."""
    cluster = Cluster()
    outcome = target.migrate_from(Eyes(("web", OTHER, age_s)), cluster)
    assert outcome.exit_code == 1
    assert target.taken is None
    assert "web" in outcome.sentence
    assert "administrator" in outcome.sentence
    assert "differ" not in outcome.sentence
    assert cluster.asked == 0, "it could not change the answer"


@pytest.mark.parametrize("agent", ["VirtualMachine", "VirtualDomain"])
@pytest.mark.parametrize("by", ["name", "uuid"])
def test_the_guest_of_another_resource_is_left_alone(
    target: Target, agent: str, by: str
) -> None:
    """Its own migrate_from may not have run yet, so no record accounts for it."""
    other = target.file("web", "web" if by == "name" else "x", OTHER)
    if by == "name":
        other.write_text("<domain><name>web</name></domain>")
    cluster = Cluster((agent, "config", str(other)))
    outcome = target.migrate_from(Eyes(("web", OTHER, 5.0)), cluster)
    assert outcome.exit_code == 1
    assert target.taken is None
    assert "resource r0" in outcome.sentence
    assert "differ" not in outcome.sentence


@pytest.mark.parametrize("value", ["web", OTHER, OTHER.upper()])
def test_the_guest_that_anothers_domain_parameter_names_is_left_alone(
    target: Target, value: str
) -> None:
    cluster = Cluster(("VirtualMachine", "domain", value))
    target.migrate_from(Eyes(("web", OTHER, 5.0)), cluster)
    assert target.taken is None


@pytest.mark.parametrize("instance", ["vm1", "vm1:0"])
def test_the_resources_own_parameters_and_other_agents_are_no_evidence(
    target: Target, instance: str
) -> None:
    cluster = Cluster(
        ("Filesystem", "domain", "web"),
        ("VirtualMachine", "remoteuri", "web"),
        ("VirtualMachine", "domain", "web"),
    )
    cluster.text = cluster.text.replace('id="r2"', 'id="vm1"')
    target.instance = instance
    target.migrate_from(Eyes(("web", OTHER, 5.0)), cluster)
    assert target.taken == "web"


def test_of_several_guests_those_of_others_are_left_out(target: Target) -> None:
    cluster = Cluster(
        ("VirtualMachine", "config", str(target.folder / "missing.xml")),
        ("VirtualDomain", "config", str(target.file("db", "db", THIRD))),
    )
    eyes = Eyes(("old", FOURTH, HOUR_S), ("db", THIRD, 3.0), ("web", OTHER, 5.0))
    target.migrate_from(eyes, cluster)
    assert target.taken == "web"
    assert "r0" in "".join(target.lines), "what is unknown of r0 is logged"


def test_where_two_guests_could_be_it_neither_is_taken(target: Target) -> None:
    outcome = target.migrate_from(Eyes(("web", OTHER, 5.0), ("db", THIRD, 3.0)))
    assert outcome.exit_code == 1
    assert target.taken is None
    assert "web" in outcome.sentence
    assert "db" in outcome.sentence
    assert "administrator" in outcome.sentence
    assert "differ" not in outcome.sentence


def test_a_cluster_that_does_not_answer_leaves_the_age_to_decide(
    target: Target,
) -> None:
    target.migrate_from(Eyes(("old", THIRD, HOUR_S), ("web", OTHER, 5.0)), Dead())
    assert target.taken == "web"
    assert "cibadmin" in "".join(target.lines)


def test_what_has_the_meant_guests_name_comes_first_and_alone(target: Target) -> None:
    """It may have arrived paused; nobody else has a guest of that name."""
    cluster = Dead()
    outcome = target.migrate_from(
        Eyes(("web", THIRD, 2.0), ("vm1", OTHER, 5.0)), cluster
    )
    assert target.taken == "vm1"
    assert "differ" in outcome.sentence
    assert target.lines == []


@pytest.mark.parametrize(
    ("age_s", "taken"), [(None, "vm1"), (HOUR_S - 1, "vm1"), (HOUR_S, None)]
)
def test_what_has_its_name_is_not_taken_if_it_was_there_before(
    target: Target, age_s: float | None, taken: str | None
) -> None:
    target.migrate_from(Eyes(("vm1", OTHER, age_s)))
    assert target.taken == taken


def test_the_meant_guest_itself_is_recorded_without_a_word_of_files(
    target: Target,
) -> None:
    outcome = target.migrate_from(Eyes(("vm1", UUID, HOUR_S)))
    assert target.taken == "vm1"
    assert "differ" not in outcome.sentence


def test_files_that_hang_cost_little_and_hide_no_other_evidence(target: Target) -> None:
    hung = target.folder / "hung.xml"
    os.mkfifo(hung)
    cluster = Cluster(
        ("VirtualMachine", "config", str(hung)),
        ("VirtualDomain", "config", str(target.file("db", "db", THIRD))),
    )
    started = time.monotonic()
    target.migrate_from(Eyes(("db", THIRD, 3.0)), cluster)
    assert time.monotonic() - started < 3 * newcomer.FILE_ANSWERS_S
    assert target.taken is None
    assert "r0" in "".join(target.lines)


def test_many_files_that_hang_are_given_up_together(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomer, "ALL_ANSWER_S", 0.3)
    hung = target.folder / "hung.xml"
    os.mkfifo(hung)
    cluster = Cluster(*[("VirtualMachine", "config", str(hung))] * 50)
    started = time.monotonic()
    target.migrate_from(Eyes(("web", OTHER, 3.0)), cluster)
    assert time.monotonic() - started < 2
    assert len(target.lines) < 5


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.sampled_from(["vm1", "web", "db"]),
        st.sampled_from([UUID, OTHER, THIRD, FOURTH]),
        st.sampled_from([None, 0.0, HOUR_S - 1, HOUR_S, 1e7]),
        st.sampled_from(["", "r0"]),
    ),
    max_size=4,
)


@given(seen=CANDIDATES)
def test_nothing_is_taken_without_its_evidence(seen: list[Candidate]) -> None:
    named = newcomer.of_that_name(seen, "vm1", UUID)
    if named is not None and named.uuid != UUID:
        assert named.name == "vm1"
        assert not named.is_old
    one = newcomer.only_one(seen)
    if one is not None:
        assert one.owner == ""
        assert one.age_s is not None
        assert one.age_s < HOUR_S
        others = [c for c in seen if c is not one]
        assert all(c.owner or c.age_s is None or c.is_old for c in others)
    assert newcomer.of_that_name(seen, "", "") is None


def test_a_node_full_of_guests_is_told_in_a_few_words() -> None:
    seen = [Candidate(f"vm{n}", f"u{n}", HOUR_S * n, "") for n in range(1, 40)]
    seen.append(Candidate("web", OTHER, None))
    text = newcomer.told(seen)
    assert text.startswith("web with UUID")
    assert text.endswith("and 36 more")
    assert len(text) < 400
