"""A stop in virtual time: it escalates, it proves, and it ends before its deadline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.agents import world
from unit.agents.world import NEVER, URI, UUID, Clock, Guest

from vmha.agents.hypervisor.state import State
from vmha.agents.vm.record import Record, RecordStore
from vmha.agents.vm.stop import stop

TIMEOUTS_S = (5.0, 18.0, 54.0, 85.0)


def carried_out(
    folder: Path, timeout_s: float = 18.0, given: Any = None, **nature: Any
) -> tuple[int, Guest, float]:
    """Stop a guest of this nature; return the code, the guest, the seconds taken."""
    clock = Clock()
    guest = Guest(clock, **nature)
    store = RecordStore(str(folder / "records"))
    store.write("vm1", Record("vm1", UUID, "qemu", URI, "/nonexistent/vm1.xml"))
    wanted = {"config": "/nonexistent/vm1.xml", **(given or {})}
    operation = world.operation("stop", wanted, timeout_s, clock)
    observer: Any = world.Observer(guest)
    table: Any = world.Table(guest)
    outcome = stop(operation, observer, store, table)
    assert outcome.sentence
    assert (store.read("vm1") is None) == (outcome.exit_code == 0)
    return outcome.exit_code, guest, clock.now_s


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_a_guest_that_obeys_is_only_asked(tmp_path: Path, timeout_s: float) -> None:
    code, guest, took_s = carried_out(tmp_path, timeout_s)
    assert code == 0
    assert guest.done == ["shutdown"]
    assert took_s < 2


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_a_guest_that_ignores_is_asked_again_then_destroyed(
    tmp_path: Path, timeout_s: float
) -> None:
    code, guest, took_s = carried_out(tmp_path, timeout_s, obeys_s=NEVER)
    assert code == 0
    assert guest.done[-1] == "destroy"
    assert set(guest.done[:-1]) == {"shutdown"}
    assert took_s <= timeout_s + 0.1


def test_a_guest_that_boots_is_asked_again_after_five_seconds(tmp_path: Path) -> None:
    _, guest, _ = carried_out(tmp_path, 85.0, obeys_s=NEVER)
    assert guest.done.count("shutdown") >= 3


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_libvirt_silent_from_the_start_is_done_without(
    tmp_path: Path, timeout_s: float
) -> None:
    code, guest, took_s = carried_out(tmp_path, timeout_s, silent=(0, NEVER))
    assert code == 0
    assert guest.done == ["term"]
    assert took_s <= timeout_s + 0.1


def test_libvirt_that_comes_back_asks_the_guest(tmp_path: Path) -> None:
    code, guest, _ = carried_out(tmp_path, 85.0, silent=(0, 8))
    assert code == 0
    assert guest.done == ["shutdown"]


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_libvirt_that_falls_silent_midway_is_done_without(
    tmp_path: Path, timeout_s: float
) -> None:
    code, guest, took_s = carried_out(
        tmp_path, timeout_s, obeys_s=NEVER, silent=(1, NEVER)
    )
    assert code == 0
    assert guest.done[0] == "shutdown"
    assert guest.done[-1] == "term"
    assert took_s <= timeout_s + 0.1


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
@pytest.mark.parametrize("how", [{"destroy_refused": True}, {"destroy_s": NEVER}])
def test_a_destroy_that_fails_is_followed_by_the_emulators_end(
    tmp_path: Path, timeout_s: float, how: dict[str, Any]
) -> None:
    code, guest, took_s = carried_out(tmp_path, timeout_s, obeys_s=NEVER, **how)
    assert code == 0
    assert guest.done[-1] == "term"
    assert took_s <= timeout_s + 0.1


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_a_shutdown_call_that_hangs_leaves_time_for_the_rest(
    tmp_path: Path, timeout_s: float
) -> None:
    code, guest, took_s = carried_out(
        tmp_path, timeout_s, answers_shutdown=False, destroy_s=NEVER, term_s=NEVER
    )
    assert code == 0
    assert "destroy" in guest.done
    assert guest.done[-1] == "kill"
    assert took_s <= timeout_s + 0.1


def test_a_shutdown_call_that_hangs_does_not_hold_up_the_destroy(
    tmp_path: Path,
) -> None:
    code, guest, took_s = carried_out(tmp_path, 85.0, answers_shutdown=False)
    assert code == 0
    assert guest.done == ["shutdown", "destroy"]
    assert took_s < 60


@pytest.mark.parametrize("timeout_s", TIMEOUTS_S)
def test_an_emulator_that_survives_everything_fails_the_stop_in_time(
    tmp_path: Path, timeout_s: float
) -> None:
    code, guest, took_s = carried_out(
        tmp_path,
        timeout_s,
        obeys_s=NEVER,
        destroy_refused=True,
        term_s=NEVER,
        kill_s=NEVER,
    )
    assert code == 1
    assert "kill" in guest.done
    assert took_s <= timeout_s + 0.5


def test_an_orphan_that_libvirt_does_not_know_is_ended_at_once(tmp_path: Path) -> None:
    code, guest, took_s = carried_out(tmp_path, libvirt_knows=False)
    assert code == 0
    assert guest.done == ["term"]
    assert took_s < 2


def test_force_stop_does_not_ask(tmp_path: Path) -> None:
    _, guest, _ = carried_out(tmp_path, given={"force_stop": "1"})
    assert guest.done == ["destroy"]


def test_nonsense_in_force_stop_means_a_graceful_stop(tmp_path: Path) -> None:
    code, guest, _ = carried_out(tmp_path, given={"force_stop": "perhaps"})
    assert code == 0
    assert guest.done == ["shutdown"]


def test_only_an_administrators_pause_is_lifted(tmp_path: Path) -> None:
    _, guest, _ = carried_out(tmp_path / "a", state=State.PAUSED)
    assert guest.done == ["resume", "shutdown"]

    for number, state in enumerate((State.IO_ERROR, State.HALTED, State.CRASHED)):
        _, guest, _ = carried_out(tmp_path / str(number), state=state)
        assert guest.done == ["destroy"]


DURATIONS = st.sampled_from([0.0, 0.1, 1.0, 4.0, 11.0, 30.0, NEVER])


@given(
    timeout_s=st.floats(2.0, 300.0),
    obeys_s=DURATIONS,
    destroy_s=DURATIONS,
    destroy_refused=st.booleans(),
    silent=st.tuples(st.floats(0, 60), DURATIONS).map(lambda t: (t[0], t[0] + t[1])),
    term_s=DURATIONS,
    kill_s=DURATIONS,
    state=st.sampled_from([s for s in State if s.is_active]),
    answers_shutdown=st.booleans(),
    libvirt_knows=st.booleans(),
)
def test_whatever_happens_a_stop_ends_in_time_and_says_0_only_of_the_dead(
    tmp_path_factory: pytest.TempPathFactory, timeout_s: float, **nature: Any
) -> None:
    folder = tmp_path_factory.mktemp("stop")
    code, guest, took_s = carried_out(folder, timeout_s, **nature)
    assert code in (0, 1)
    assert code == 1 or not guest.alive
    # run() keeps a second for the last words, Pacemaker's timeout lies beyond it.
    assert took_s <= timeout_s + 0.5
    # Whoever dies of a signal within a second is always stopped.
    if guest.kill_s <= 0.1 and guest.term_s <= 0.1 and timeout_s > 6:
        assert code == 0
