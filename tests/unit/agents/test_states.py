"""The decision tables, cell by cell, and their invariants.

Written out by hand from what is safe, not derived from the code: a row is libvirt's
state, a column what the process table says.
"""

from __future__ import annotations

import pytest

from vmha.agents.hypervisor.state import State
from vmha.agents.protocol import exitcodes
from vmha.agents.vm.states import (
    Beginning,
    Phase,
    Presence,
    Process,
    Step,
    Verdict,
    migration_verdict,
    monitor_code,
    postcopy_verdict,
    presence,
    start_step,
    stop_step,
)

PRESENCE = """
                PRESENT  NONE     UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          run      gone     ?           gone          ?  gone
SHUT_OFF        run      gone     ?           gone          ?  gone
SILENT          run      gone     ?           ?             ?  ?
RUNNING         run      run      run         run           run  run
PAUSED          run      run      run         run           run  run
MIGRATING       run      run      run         run           run  run
SHUTTING_DOWN   run      run      run         run           run  run
CRASHED         run      run      run         run           run  run
SUSPENDED       run      run      run         run           run  run
"""
ANSWERS = {
    "run": Presence.RUNNING,
    "gone": Presence.NOT_RUNNING,
    "?": Presence.UNKNOWN,
}

MONITOR = """
                PRESENT  NONE     UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          1        7        1           7             1  7
SHUT_OFF        1        7        1           7             1  7
SILENT          0        7        1           1             1  1
RUNNING         0        0        0           0             0  0
PAUSED          0        0        0           0             0  0
MIGRATING       1        1        1           1             1  1
SHUTTING_DOWN   0        0        0           0             0  0
CRASHED         1        1        1           1             1  1
SUSPENDED       1        1        1           1             1  1
"""

START = """
                PRESENT  NONE     UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          REFUSE   CREATE   WAIT        CREATE        REFUSE  CREATE
SHUT_OFF        REFUSE   CREATE   WAIT        CREATE        REFUSE  CREATE
SILENT          WAIT     WAIT     WAIT        WAIT          WAIT  WAIT
RUNNING         ALREADY  ALREADY  ALREADY     ALREADY       ALREADY  ALREADY
PAUSED          ALREADY  ALREADY  ALREADY     ALREADY       ALREADY  ALREADY
MIGRATING       REFUSE   REFUSE   REFUSE      REFUSE        REFUSE  REFUSE
SHUTTING_DOWN   WAIT     WAIT     WAIT        WAIT          WAIT  WAIT
CRASHED         REFUSE   REFUSE   REFUSE      REFUSE        REFUSE  REFUSE
SUSPENDED       REFUSE   REFUSE   REFUSE      REFUSE        REFUSE  REFUSE
"""

# One table per phase; "PAUSED*" is a paused guest that may be resumed to obey.
STOP = {
    Phase.GRACEFUL: """
                PRESENT    NONE       UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          KILL       DONE       WAIT        DONE          WAIT  DONE
SHUT_OFF        KILL       DONE       WAIT        DONE          WAIT  DONE
SILENT          WAIT       DONE       WAIT        WAIT          WAIT  WAIT
RUNNING         SHUT_DOWN  SHUT_DOWN  SHUT_DOWN   SHUT_DOWN     SHUT_DOWN  SHUT_DOWN
PAUSED          DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
PAUSED*         RESUME     RESUME     RESUME      RESUME        RESUME  RESUME
MIGRATING       DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SHUTTING_DOWN   WAIT       WAIT       WAIT        WAIT          WAIT  WAIT
CRASHED         DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SUSPENDED       DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
""",
    Phase.FORCE: """
                PRESENT    NONE       UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          KILL       DONE       WAIT        DONE          WAIT  DONE
SHUT_OFF        KILL       DONE       WAIT        DONE          WAIT  DONE
SILENT          KILL       DONE       WAIT        WAIT          WAIT  WAIT
RUNNING         DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
PAUSED          DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
PAUSED*         DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
MIGRATING       DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SHUTTING_DOWN   DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
CRASHED         DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SUSPENDED       DESTROY    DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
""",
    Phase.KILL: """
                PRESENT    NONE       UNREADABLE  INAPPLICABLE  UNASKED  BEGUN
ABSENT          KILL       DONE       WAIT        DONE          WAIT  DONE
SHUT_OFF        KILL       DONE       WAIT        DONE          WAIT  DONE
SILENT          KILL       DONE       WAIT        WAIT          WAIT  WAIT
RUNNING         KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
PAUSED          KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
PAUSED*         KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
MIGRATING       KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SHUTTING_DOWN   KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
CRASHED         KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
SUSPENDED       KILL       DESTROY    DESTROY     DESTROY       DESTROY  DESTROY
""",
}

# Rows: the source. Columns: the target, in the order of the rows.
# ARR arrived, STAY stayed, HALT paused at the source, pend pending, 2 double,
# 0 lost, ? unknown.
VERDICT = """
                ABSENT SHUT_OFF SILENT RUNNING PAUSED MIGRATING SHUTTING_DOWN CRASHED SUSPENDED
ABSENT          0      0        ?      ARR     ARR    pend      ARR           pend    pend
SHUT_OFF        0      0        ?      ARR     ARR    pend      ARR           pend    pend
SILENT          ?      ?        ?      ARR     ARR    ?         ARR           ?       ?
RUNNING         STAY   STAY     STAY   2       2      pend      2             pend    pend
PAUSED          HALT   HALT     ?      ARR     ARR    pend      ARR           pend    pend
MIGRATING       HALT   HALT     ?      ARR     ARR    pend      ARR           pend    pend
SHUTTING_DOWN   STAY   STAY     ?      ARR     ARR    pend      ARR           pend    pend
CRASHED         STAY   STAY     ?      ARR     ARR    pend      ARR           pend    pend
SUSPENDED       STAY   STAY     ?      ARR     ARR    pend      ARR           pend    pend
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


@pytest.mark.parametrize(("state", "process", "entry"), cells(MONITOR))
def test_monitor(state: str, process: str, entry: str) -> None:
    assert monitor_code(State[state], Process[process]) == int(entry)


@pytest.mark.parametrize(("state", "process", "entry"), cells(START))
def test_start(state: str, process: str, entry: str) -> None:
    assert start_step(State[state], Process[process]) is Beginning[entry]


@pytest.mark.parametrize("phase", Phase)
def test_stop(phase: Phase) -> None:
    for state, process, entry in cells(STOP[phase]):
        can_obey = state.endswith("*")
        row = State[state.rstrip("*")]
        assert stop_step(row, Process[process], phase, can_obey) is Step[entry], (
            f"{phase.name}: {state}, {process}"
        )


@pytest.mark.parametrize(("source", "target", "entry"), cells(VERDICT))
def test_migration_verdict(source: str, target: str, entry: str) -> None:
    assert migration_verdict(State[source], State[target]) is VERDICTS[entry]


@pytest.mark.parametrize("table", [PRESENCE, MONITOR, START, *STOP.values()])
def test_the_tables_are_complete(table: str) -> None:
    written = {(state.rstrip("*"), process) for state, process, _ in cells(table)}
    assert written == {(s.name, p.name) for s in State for p in Process}


def test_the_table_of_verdicts_is_complete() -> None:
    written = {(source, target) for source, target, _ in cells(VERDICT)}
    assert written == {(a.name, b.name) for a in State for b in State}


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
        for can_obey in (True, False):
            assert stop_step(state, process, phase, can_obey) is not Step.DONE


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_stop_ends_exactly_where_a_monitor_says_not_running(
    state: State, process: Process
) -> None:
    gone = monitor_code(state, process) == exitcodes.NOT_RUNNING
    for phase in Phase:
        done = stop_step(state, process, phase, False) is Step.DONE
        assert done == gone


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_a_stop_never_waits_for_ever_for_a_guest_that_is_seen(
    state: State, process: Process
) -> None:
    if presence(state, process) is Presence.RUNNING:
        step = stop_step(state, process, Phase.KILL, False)
        assert step in (Step.KILL, Step.DESTROY)


@pytest.mark.parametrize(("state", "process"), EVERY)
def test_resuming_is_for_a_guest_that_an_administrator_paused(
    state: State, process: Process
) -> None:
    for phase in Phase:
        assert stop_step(state, process, phase, False) is not Step.RESUME


@pytest.mark.parametrize("target", State)
@pytest.mark.parametrize("source", State)
def test_success_of_a_migration_needs_the_targets_word(
    source: State, target: State
) -> None:
    verdict = migration_verdict(source, target)
    if verdict is Verdict.ARRIVED:
        assert target in (State.RUNNING, State.PAUSED, State.SHUTTING_DOWN)
        assert source is not State.RUNNING
    if verdict is Verdict.HALTED_AT_SOURCE:
        assert target in (State.ABSENT, State.SHUT_OFF), "else resuming makes two"


@pytest.mark.parametrize("target", State)
def test_half_a_guest_left_by_post_copy_never_runs_at_its_source_again(
    target: State,
) -> None:
    verdict = postcopy_verdict(target)
    assert verdict in (Verdict.PENDING, Verdict.LOST, Verdict.UNKNOWN)
    assert (verdict is Verdict.PENDING) is target.is_active
    assert (verdict is Verdict.UNKNOWN) is (target is State.SILENT)
