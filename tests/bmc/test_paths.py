"""A BMC with two addresses: fallback_ip is used, proven, and told when it is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bmc.plan import Plan
from bmc.simulator import free_port
from bmc.test_faults import FENCER, assert_fails_saying, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bmc.calls import Caller, Reachable
    from bmc.listener import Listener

    Make = Callable[..., Listener]
    Agent = Callable[[Reachable], Caller]

FIRST, SECOND = "127.0.0.1", "127.0.0.2"
TWO: dict[str, object] = {"fallback_ip": SECOND, "login_timeout": 1, "shell_timeout": 1}


def test_a_dead_first_path_leaves_the_second(scripted: Make, agent: Agent) -> None:
    bmc = scripted(others=(SECOND,))
    bmc.silent.add(FIRST)
    outcome = agent(bmc)("reboot", None, **TWO)
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert outcome.stderr == ""
    assert bmc.node.names() == ["off", "on"]
    assert outcome.seconds < 1 + 2


def test_a_path_that_dies_after_the_order_leaves_the_other_to_prove_it(
    scripted: Make, agent: Agent
) -> None:
    bmc = scripted(Plan(off_s=2.0), others=(SECOND,))
    started = agent(bmc).start("off", None, **TWO)
    wait_for(lambda: bool(bmc.node.orders))
    bmc.silent.add(FIRST)
    outcome = started.outcome()
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered OFF\n")
    assert not bmc.node.was_on(outcome.ended_at)
    assert bmc.node.names() == ["off"]


def test_a_reboot_goes_on_over_the_other_path(scripted: Make, agent: Agent) -> None:
    bmc = scripted(Plan(off_s=2.0), others=(SECOND,))
    started = agent(bmc).start("reboot", None, **TWO)
    wait_for(lambda: bool(bmc.node.orders))
    bmc.silent.add(FIRST)
    outcome = started.outcome()
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert outcome.stderr == ""
    assert bmc.node.names() == ["off", "on"]


def test_a_session_that_the_other_path_cannot_end_keeps_the_node_off(
    scripted: Make, agent: Agent
) -> None:
    port = free_port()
    bmc = scripted(Plan(off_s=2.0), port=port)
    scripted(host=SECOND, port=port, node=bmc.node)
    started = agent(bmc).start("reboot", None, **TWO)
    wait_for(lambda: bool(bmc.node.orders))
    bmc.silent.add(FIRST)
    outcome = started.outcome()
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert "stays off" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert bmc.node.names() == ["off"]


def test_two_dead_paths_are_one_line_within_the_budget(
    scripted: Make, agent: Agent
) -> None:
    bmc = scripted(others=(SECOND,))
    bmc.silent |= {FIRST, SECOND}
    outcome = agent(bmc)("off", FENCER, **TWO, fencing_timeout=10)
    assert_fails_saying(outcome, FIRST, SECOND)
    assert outcome.seconds < 0.6 * 10


def test_a_second_path_to_another_bmc_fails_the_monitor(
    scripted: Make, agent: Agent
) -> None:
    port = free_port()
    bmc = scripted(port=port)
    scripted(Plan(guid="b" * 32), host=SECOND, port=port)
    assert_fails_saying(agent(bmc)("monitor", None, **TWO), "fallback_ip")


def test_a_dead_second_path_is_no_failure_but_is_told(
    scripted: Make, agent: Agent, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    bmc = scripted(others=(SECOND,))
    bmc.silent.add(SECOND)
    outcome = agent(bmc)("monitor", None, **TWO, debug_file=log)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    assert f"second path to the BMC, {SECOND}" in log.read_text()


def test_a_second_path_that_works_is_nothing_to_tell(
    scripted: Make, agent: Agent, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    bmc = scripted(others=(SECOND,))
    outcome = agent(bmc)("monitor", None, **TWO, debug_file=log)
    assert outcome.exit_code == 0
    assert "second path" not in log.read_text()
