"""Hung or not: the invariants over random histories, and the cases by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmha.agents.vm.health import (
    IDLE,
    SATURATED,
    SILENCES,
    Agent,
    Finding,
    History,
    Look,
    Rules,
    judge,
    worst,
)
from vmha.agents.vm.history import HistoryStore
from vmha.agents.vm.record import RecordStore

HANGS = Rules(120, 190)
IDLES, WORKS, SPINS = 0.01, 0.4, 1.0


class Monitors:
    """Monitors of one guest, every ``step_s``; what they say of a hang."""

    def __init__(self, rules: Rules = HANGS, step_s: float = 60) -> None:
        self.rules = rules
        self.step_s = step_s
        self.at_s = 1000.0
        self.cpu_ns = self.disk = self.net = 0
        self.history: History | None = None

    def see(
        self,
        agent: Agent,
        share: float = IDLES,
        disk: int = 0,
        net: int = 0,
        epoch: str = "1",
        job: str | None = "",
        blind: bool = False,
    ) -> list[Finding]:
        self.at_s += self.step_s
        self.cpu_ns += int(share * self.step_s * 1e9)
        self.disk += disk
        self.net += net
        look = Look(epoch, self.at_s, agent, job=job)
        if not blind:
            look.cpu_ns, look.disk, look.net = (self.cpu_ns,), self.disk, self.net
        self.history, found = judge(self.history, look, self.rules)
        return found


def hung(found: list[Finding]) -> bool:
    return any("hung" in finding.clause for finding in found)


def trusted(rules: Rules = HANGS) -> Monitors:
    monitors = Monitors(rules)
    monitors.see(Agent.ANSWERED)
    monitors.see(Agent.ANSWERED)
    return monitors


@pytest.mark.parametrize("share", [0.0, IDLES, SPINS], ids=["halted", "idle", "spins"])
def test_a_guest_that_falls_silent_altogether_is_hung_in_time(share: float) -> None:
    monitors = trusted()
    assert [hung(monitors.see(Agent.SILENT, share)) for _ in range(4)] == [
        *[False] * (SILENCES - 1),
        True,
        True,
    ]
    assert not hung(monitors.see(Agent.ANSWERED)), "it has come back"


@pytest.mark.parametrize(
    "life", [{"share": WORKS}, {"disk": 1}, {"net": 1}], ids=["cpu", "disk", "net"]
)
def test_one_witness_that_speaks_for_life_is_enough(life: dict[str, float]) -> None:
    monitors = trusted()
    for _ in range(20):
        assert not hung(monitors.see(Agent.SILENT, **life))  # type: ignore[arg-type]


@pytest.mark.parametrize("agent", [Agent.NONE, Agent.AWAY, Agent.SILENT, Agent.UNKNOWN])
@pytest.mark.parametrize("share", [0.0, IDLES, WORKS, SPINS])
def test_a_guest_whose_agent_never_answered_is_never_hung(
    agent: Agent, share: float
) -> None:
    monitors = Monitors()
    for _ in range(50):
        assert not hung(monitors.see(agent, share))


def test_an_agent_that_was_stopped_is_no_longer_a_witness() -> None:
    monitors = trusted()
    monitors.see(Agent.AWAY)
    for _ in range(20):
        assert not hung(monitors.see(Agent.SILENT))


def test_another_emulator_begins_anew() -> None:
    monitors = trusted()
    for _ in range(2):
        monitors.see(Agent.SILENT)
    for _ in range(20):
        assert not hung(monitors.see(Agent.SILENT, epoch="2"))


def test_a_look_that_is_told_nothing_judges_nothing_and_forgives_nothing() -> None:
    monitors = trusted()
    for _ in range(10):
        assert not hung(monitors.see(Agent.SILENT, blind=True))
        assert not hung(monitors.see(Agent.UNKNOWN))
    seen = [hung(monitors.see(Agent.SILENT)) for _ in range(SILENCES)]
    assert seen[-1]


def test_two_levels_that_coincide_neither_judge_nor_disturb() -> None:
    monitors = trusted()
    seen = []
    for _ in range(3):
        monitors.step_s = 60
        seen.append(hung(monitors.see(Agent.SILENT)))
        monitors.step_s = 0.1
        monitors.see(Agent.SILENT)
    assert seen == [False, False, True]


def test_a_timeout_of_0_turns_it_off() -> None:
    monitors = trusted(Rules(0, 190))
    for _ in range(20):
        assert not hung(monitors.see(Agent.SILENT))


LOOKS = st.tuples(
    st.sampled_from(Agent),
    st.sampled_from([0.0, IDLES, WORKS, SPINS]),
    st.sampled_from([0, 0, 0, 5]),
    st.sampled_from([0, 0, 0, 5]),
    st.sampled_from(["1", "1", "1", "1", "2"]),
    st.booleans(),
    st.floats(0.05, 400),
)


@given(st.lists(LOOKS, max_size=40), st.integers(1, 300))
def test_whatever_has_been_seen_a_hang_has_its_whole_proof(
    looks: list[tuple[Agent, float, int, int, str, bool, float]], timeout_s: int
) -> None:
    monitors = Monitors(Rules(timeout_s, 190))
    past: list[tuple[float, Agent, float, int, int, str]] = []
    for agent, share, disk, net, epoch, blind, step_s in looks:
        monitors.step_s = step_s
        found = monitors.see(agent, share, disk, net, epoch, blind=blind)
        past.append((monitors.at_s, agent, share, disk, net, epoch))
        if not hung(found):
            continue
        assert not blind
        proof = []
        for row in reversed(past):
            if row[1] in (Agent.ANSWERED, Agent.AWAY, Agent.NONE):
                break
            assert row[5] == epoch, "nothing is carried over from another emulator"
            proof.append(row)
        else:
            raise AssertionError("its agent never answered")
        assert row[1] is Agent.ANSWERED
        assert row[5] == epoch
        silent = [r for r in proof if r[1] is Agent.SILENT]
        assert len(silent) >= SILENCES
        assert monitors.at_s - row[0] >= timeout_s
        recent = [r for r in proof if monitors.at_s - r[0] < timeout_s]
        assert not any(r[3] or r[4] for r in recent), "disk or net moved"


@given(st.lists(LOOKS, max_size=40))
def test_a_busy_guest_is_never_hung(
    looks: list[tuple[Agent, float, int, int, str, bool, float]],
) -> None:
    """Busy: between any two looks it works, or moves data, or its agent answers."""
    monitors = Monitors(Rules(1, 1))
    for agent, share, disk, net, epoch, blind, step_s in looks:
        monitors.step_s = max(step_s, 1)
        does_nothing = not disk and not net and not IDLE < share < SATURATED
        busy = Agent.ANSWERED if does_nothing else agent
        assert not hung(monitors.see(busy, share, disk, net, epoch, blind=blind))


def test_a_required_agent_has_the_time_of_a_boot() -> None:
    monitors = Monitors(Rules(120, 190, is_required=True))
    assert worst(monitors.see(Agent.AWAY)) == 0
    assert worst(monitors.see(Agent.AWAY)) == 0
    monitors.see(Agent.AWAY)
    assert worst(monitors.see(Agent.AWAY)) == 1
    assert worst(monitors.see(Agent.ANSWERED)) == 0
    assert worst(monitors.see(Agent.SILENT)) == 0, "a reboot takes its time"
    assert worst(monitors.see(Agent.UNKNOWN)) == 0


def test_a_required_agent_without_a_channel_is_shown_and_restarts_nothing() -> None:
    monitors = Monitors(Rules(120, 190, is_required=True))
    for _ in range(10):
        assert worst(monitors.see(Agent.NONE)) == 190


def test_a_job_that_stands_still_is_degraded_and_no_more() -> None:
    monitors = Monitors()
    for number in range(10):
        assert worst(monitors.see(Agent.NONE, job=f"backup:data={number}")) == 0
    stuck = [monitors.see(Agent.NONE, job="backup:data=9") for _ in range(3)]
    assert worst(stuck[-1]) == 190
    assert "backup" in stuck[-1][0].clause
    assert worst(monitors.see(Agent.NONE, job=None)) == 0
    assert worst(monitors.see(Agent.NONE, job="")) == 0


@pytest.mark.parametrize("code", [0, 190, 1])
def test_the_policy_decides_over_a_hang(code: int) -> None:
    monitors = trusted(Rules(120, code))
    found = [monitors.see(Agent.SILENT) for _ in range(SILENCES)][-1]
    assert worst(found) == code


def test_a_history_is_kept_as_it_was(tmp_path: Path) -> None:
    store = HistoryStore(RecordStore(str(tmp_path / "records")))
    monitors = trusted()
    monitors.see(Agent.SILENT, job="backup:a=1 b=2", epoch="7 4711 99")
    assert monitors.history is not None
    store.write("vm/1", monitors.history)
    kept = store.read("vm/1")
    assert kept is not None
    for field in History.__slots__:
        assert getattr(kept, field) == getattr(monitors.history, field), field


def test_a_damaged_or_foreign_history_counts_as_none(tmp_path: Path) -> None:
    records = RecordStore(str(tmp_path / "records"))
    store = HistoryStore(records)
    assert store.read("vm1") is None
    monitors = trusted()
    assert monitors.history is not None
    store.write("vm1", monitors.history)
    path = Path(records.beside("vm1", "health"))
    whole = path.read_text()
    for torn in (whole[:40], "", "nonsense\n", whole.replace("=", ":")):
        path.write_text(torn)
        assert store.read("vm1") is None
    path.write_text(whole)
    path.chmod(0o666)
    assert store.read("vm1") is None
    records.remove("vm1")
    assert not path.exists()
