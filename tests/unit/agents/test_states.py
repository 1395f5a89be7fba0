"""The decision tables, cell by cell, and their invariants.

Written out by hand from what is safe, not derived from the code: a row is libvirt's
state, a column what the process table says.
"""

from __future__ import annotations

import pytest

from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.vm.parameters import PARAMETERS
from vmha.agents.vm.states import (
    ARRIVED,
    DEFAULT_POLICIES,
    GOVERNED,
    LIVES,
    MIGRATABLE,
    POLICIES,
    Arrival,
    Beginning,
    Phase,
    Presence,
    Process,
    Step,
    Verdict,
    arrival_step,
    migration_verdict,
    monitor_code,
    presence,
    start_step,
    stop_step,
)

PRESENCE = """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        run          gone         ?            gone         ?            gone
SHUT_OFF      run          gone         ?            gone         ?            gone
SILENT        run          gone         ?            ?            ?            ?
RUNNING       run          run          run          run          run          run
POSTCOPY      run          run          run          run          run          run
PAUSED        run          run          run          run          run          run
HALTED        run          run          run          run          run          run
HELD          run          run          run          run          run          run
STARTING      run          run          run          run          run          run
MIGRATING     run          run          run          run          run          run
TORN          run          run          run          run          run          run
IO_ERROR      run          run          run          run          run          run
NO_SPACE      run          run          run          run          run          run
WATCHDOG      run          run          run          run          run          run
SHUTTING_DOWN run          run          run          run          run          run
CRASHED       run          run          run          run          run          run
SUSPENDED     run          run          run          run          run          run
"""
ANSWERS = {
    "run": Presence.RUNNING,
    "gone": Presence.NOT_RUNNING,
    "?": Presence.UNKNOWN,
}

# A word is a policy: "paused" means what paused_policy says. "halted" is the same,
# but its "ok" is degraded: nobody is known to have wanted that pause.
MONITOR = """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        1            7            1            7            1            7
SHUT_OFF      1            7            1            7            1            7
SILENT        0            7            1            1            1            1
RUNNING       0            0            0            0            0            0
POSTCOPY      0            0            0            0            0            0
PAUSED        paused       paused       paused       paused       paused       paused
HALTED        halted       halted       halted       halted       halted       halted
HELD          0            0            0            0            0            0
STARTING      0            0            0            0            0            0
MIGRATING     1            1            1            1            1            1
TORN          1            1            1            1            1            1
IO_ERROR      io_error     io_error     io_error     io_error     io_error     io_error
NO_SPACE      no_space     no_space     no_space     no_space     no_space     no_space
WATCHDOG      panic        panic        panic        panic        panic        panic
SHUTTING_DOWN 0            0            0            0            0            0
CRASHED       panic        panic        panic        panic        panic        panic
SUSPENDED     suspended    suspended    suspended    suspended    suspended    suspended
"""

# A word is a policy: REFUSE where it says fail, else ALREADY.
START = """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        REFUSE       CREATE       WAIT         CREATE       REFUSE       CREATE
SHUT_OFF      REFUSE       CREATE       WAIT         CREATE       REFUSE       CREATE
SILENT        WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
RUNNING       ALREADY      ALREADY      ALREADY      ALREADY      ALREADY      ALREADY
POSTCOPY      WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
PAUSED        paused       paused       paused       paused       paused       paused
HALTED        paused       paused       paused       paused       paused       paused
HELD          WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
STARTING      WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
MIGRATING     REFUSE       REFUSE       REFUSE       REFUSE       REFUSE       REFUSE
TORN          REFUSE       REFUSE       REFUSE       REFUSE       REFUSE       REFUSE
IO_ERROR      io_error     io_error     io_error     io_error     io_error     io_error
NO_SPACE      no_space     no_space     no_space     no_space     no_space     no_space
WATCHDOG      panic        panic        panic        panic        panic        panic
SHUTTING_DOWN WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
CRASHED       panic        panic        panic        panic        panic        panic
SUSPENDED     suspended    suspended    suspended    suspended    suspended    suspended
"""

STOP = {
    Phase.GRACEFUL: """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        KILL         DONE         WAIT         DONE         WAIT         DONE
SHUT_OFF      KILL         DONE         WAIT         DONE         WAIT         DONE
SILENT        WAIT         DONE         WAIT         WAIT         WAIT         WAIT
RUNNING       SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN
POSTCOPY      SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN    SHUT_DOWN
PAUSED        RESUME       RESUME       RESUME       RESUME       RESUME       RESUME
HALTED        DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
HELD          WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
STARTING      WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
MIGRATING     DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
TORN          DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
IO_ERROR      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
NO_SPACE      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
WATCHDOG      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SHUTTING_DOWN WAIT         WAIT         WAIT         WAIT         WAIT         WAIT
CRASHED       DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SUSPENDED     DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
""",
    Phase.FORCE: """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        KILL         DONE         WAIT         DONE         WAIT         DONE
SHUT_OFF      KILL         DONE         WAIT         DONE         WAIT         DONE
SILENT        KILL         DONE         WAIT         WAIT         WAIT         WAIT
RUNNING       DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
POSTCOPY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
PAUSED        DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
HALTED        DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
HELD          DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
STARTING      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
MIGRATING     DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
TORN          DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
IO_ERROR      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
NO_SPACE      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
WATCHDOG      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SHUTTING_DOWN DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
CRASHED       DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SUSPENDED     DESTROY      DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
""",
    Phase.KILL: """
              PRESENT      NONE         UNREADABLE   INAPPLICABLE UNASKED      BEGUN
ABSENT        KILL         DONE         WAIT         DONE         WAIT         DONE
SHUT_OFF      KILL         DONE         WAIT         DONE         WAIT         DONE
SILENT        KILL         DONE         WAIT         WAIT         WAIT         WAIT
RUNNING       KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
POSTCOPY      KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
PAUSED        KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
HALTED        KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
HELD          KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
STARTING      KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
MIGRATING     KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
TORN          KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
IO_ERROR      KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
NO_SPACE      KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
WATCHDOG      KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SHUTTING_DOWN KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
CRASHED       KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
SUSPENDED     KILL         DESTROY      DESTROY      DESTROY      DESTROY      DESTROY
""",
}

# Rows: the source. Columns: the target, in the order of the rows.
# ARR arrived, STAY stayed, HALT paused at the source, pend pending, 2 double,
# 0 lost, ? unknown.
VERDICT = """
              abs  off  sil  run  pcp  pau  hal  hld  sta  mig  torn ioe  nsp  wdg  shd  cra  sus
ABSENT        0    0    ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
SHUT_OFF      0    0    ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
SILENT        ?    ?    ?    ARR  ?    ARR  ?    ARR  ?    ?    ?    ARR  ARR  ARR  ARR  ARR  ARR
RUNNING       STAY STAY STAY 2    pend 2    pend 2    pend pend pend 2    2    2    2    2    2
POSTCOPY      STAY STAY ?    2    pend 2    pend 2    pend pend pend 2    2    2    2    2    2
PAUSED        HALT HALT ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
HALTED        HALT HALT ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
HELD          STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
STARTING      STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
MIGRATING     HALT HALT ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
TORN          0    0    ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
IO_ERROR      STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
NO_SPACE      STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
WATCHDOG      STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
SHUTTING_DOWN STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
CRASHED       STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
SUSPENDED     STAY STAY ?    ARR  pend ARR  pend ARR  pend pend pend ARR  ARR  ARR  ARR  ARR  ARR
"""  # noqa: E501 - a table
VERDICTS = {
    "ARR": Verdict.ARRIVED,
    "STAY": Verdict.STAYED,
    "HALT": Verdict.HALTED_AT_SOURCE,
    "pend": Verdict.PENDING,
    "2": Verdict.DOUBLE,
    "0": Verdict.LOST,
    "?": Verdict.UNKNOWN,
}


def cells(table: str) -> list[tuple[str, str, str]]:
    """Return row name, column name and entry of every cell."""
    head, *rows = (line.split() for line in table.strip().splitlines())
    assert all(len(row) == len(head) + 1 for row in rows)
    return [
        (name, column, entry)
        for name, *entries in rows
        for column, entry in zip(head, entries)
    ]


@pytest.mark.parametrize(("state", "process", "entry"), cells(PRESENCE))
def test_presence(state: str, process: str, entry: str) -> None:
    assert presence(State[state], Process[process]) is ANSWERS[entry]


def every_policy(word: str) -> list[tuple[str, dict[str, str]]]:
    """Return each value of the policy that a table's word means, and all policies."""
    name = {"halted": "paused"}.get(word, word) + "_policy"
    others = dict.fromkeys(DEFAULT_POLICIES, "fail")
    return [(value, {**others, name: value}) for value in POLICIES]


@pytest.mark.parametrize(("state", "process", "entry"), cells(MONITOR))
def test_monitor(state: str, process: str, entry: str) -> None:
    if entry.isdigit():
        assert monitor_code(State[state], Process[process]) == int(entry)
        return
    for value, policies in every_policy(entry):
        code = {"ok": 0, "degraded": 190, "fail": 1}[value]
        code = 190 if (entry, value) == ("halted", "ok") else code
        assert monitor_code(State[state], Process[process], policies) == code


@pytest.mark.parametrize(("state", "process", "entry"), cells(START))
def test_start(state: str, process: str, entry: str) -> None:
    if entry.isupper():
        assert start_step(State[state], Process[process]) is Beginning[entry]
        return
    for value, policies in every_policy(entry):
        step = Beginning.REFUSE if value == "fail" else Beginning.ALREADY
        assert start_step(State[state], Process[process], policies) is step


@pytest.mark.parametrize("phase", Phase)
def test_stop(phase: Phase) -> None:
    for state, process, entry in cells(STOP[phase]):
        step = stop_step(State[state], Process[process], phase)
        assert step is Step[entry], f"{phase.name}: {state}, {process}"


def verdicts() -> list[tuple[str, str, str]]:
    """Return the cells of VERDICT with the columns' full names."""
    head, *rows = (line.split() for line in VERDICT.strip().splitlines())
    full = dict(zip(head, (row[0] for row in rows)))
    return [(source, full[short], entry) for source, short, entry in cells(VERDICT)]


@pytest.mark.parametrize(("source", "target", "entry"), verdicts())
def test_migration_verdict(source: str, target: str, entry: str) -> None:
    assert migration_verdict(State[source], State[target]) is VERDICTS[entry]


@pytest.mark.parametrize("table", [PRESENCE, MONITOR, START, *STOP.values()])
def test_the_tables_are_complete(table: str) -> None:
    written = {(state, process) for state, process, _ in cells(table)}
    assert written == {(s.name, p.name) for s in State for p in Process}


def test_the_table_of_verdicts_is_complete() -> None:
    written = {(source, target) for source, target, _ in verdicts()}
    assert written == {(a.name, b.name) for a in State for b in State}
    assert len(cells(VERDICT)) == len(State) ** 2


EVERY = [(state, process) for state in State for process in Process]
KNOWS_NOTHING = (Process.UNREADABLE, Process.UNASKED)


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_not_running_is_never_said_on_half_a_proof(
    state: State, process: Process
) -> None:
    blind = process in KNOWS_NOTHING
    blind = blind or (state is State.SILENT and process is Process.INAPPLICABLE)
    seen = state.is_active or process is Process.PRESENT
    if not blind and not seen:
        return
    assert presence(state, process) is not Presence.NOT_RUNNING
    assert monitor_code(state, process) != exitcodes.NOT_RUNNING
    assert start_step(state, process) is not Beginning.CREATE
    for phase in Phase:
        assert stop_step(state, process, phase) is not Step.DONE


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_stop_ends_exactly_where_a_monitor_says_not_running(
    state: State, process: Process
) -> None:
    gone = monitor_code(state, process) == exitcodes.NOT_RUNNING
    for phase in Phase:
        done = stop_step(state, process, phase) is Step.DONE
        assert done == gone


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_a_stop_never_waits_for_ever_for_a_guest_that_is_seen(
    state: State, process: Process
) -> None:
    if presence(state, process) is Presence.RUNNING:
        step = stop_step(state, process, Phase.KILL)
        assert step in (Step.KILL, Step.DESTROY)


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_resuming_is_for_a_guest_that_an_administrator_paused(
    state: State, process: Process
) -> None:
    for phase in Phase:
        resumed = stop_step(state, process, phase) is Step.RESUME
        assert resumed == (state is State.PAUSED and phase is Phase.GRACEFUL)


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_a_start_finds_running_only_what_a_monitor_lets_live(
    state: State, process: Process
) -> None:
    for value in POLICIES:
        policies = dict.fromkeys(DEFAULT_POLICIES, value)
        if start_step(state, process, policies) is Beginning.ALREADY:
            assert monitor_code(state, process, policies) in LIVES


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_no_policy_makes_a_live_guest_count_as_absent(
    state: State, process: Process
) -> None:
    for value in POLICIES:
        code = monitor_code(state, process, dict.fromkeys(DEFAULT_POLICIES, value))
        assert (code == exitcodes.NOT_RUNNING) == (
            presence(state, process) is Presence.NOT_RUNNING
        )


def test_the_tables_defaults_are_the_declared_ones() -> None:
    declared = {p.name: (p.default, p.choices) for p in PARAMETERS}
    for name, default in DEFAULT_POLICIES.items():
        assert declared[name] == (default, tuple(POLICIES))
    assert set(GOVERNED.values()) == set(DEFAULT_POLICIES)


ARRIVAL = {
    Arrival.ARRIVED: "RUNNING PAUSED HELD IO_ERROR NO_SPACE WATCHDOG SHUTTING_DOWN "
    "CRASHED SUSPENDED",
    Arrival.ON_ITS_WAY: "SILENT POSTCOPY HALTED STARTING MIGRATING TORN",
    Arrival.MISSING: "ABSENT SHUT_OFF",
}


def test_migrate_from_of_every_state() -> None:
    decided = {state.name: arrival_step(state) for state in State}
    wanted = {name: step for step, names in ARRIVAL.items() for name in names.split()}
    assert decided == wanted


def test_only_a_guest_that_arrives_as_it_was_is_migrated() -> None:
    assert set(MIGRATABLE) == {State.RUNNING, State.PAUSED}


@pytest.mark.parametrize("target", State)
@pytest.mark.parametrize("source", State)
def test_success_of_a_migration_needs_the_targets_word(
    source: State, target: State
) -> None:
    verdict = migration_verdict(source, target)
    if verdict is Verdict.ARRIVED:
        assert target in ARRIVED
        assert source is not State.RUNNING
    if verdict is Verdict.HALTED_AT_SOURCE:
        assert target in (State.ABSENT, State.SHUT_OFF), "else resuming makes two"
        assert source is not State.TORN, "its disks have gone on without it"
