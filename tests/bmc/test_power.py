"""fence_vmha_ipmi against healthy BMCs, and chassis that are slow, lie or refuse."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from bmc.simulator import Simulator

if TYPE_CHECKING:
    from pathlib import Path

    from bmc.calls import Caller

# ipmi_sim looks at its chassis once more for each chassis status and before an order.
OFF, ON = "set power 0", "set power 1"


def test_off_powers_the_node_off_and_says_so(fence: Caller, bmc: Simulator) -> None:
    outcome = fence("off")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered OFF\n")
    assert outcome.stderr == ""
    assert bmc.power == 0
    assert bmc.orders() == [OFF]


def test_off_is_proven_by_two_reads_after_the_order(
    fence: Caller, bmc: Simulator
) -> None:
    fence("off")
    after = bmc.log()[bmc.log().index(OFF) + 1 :]
    assert after.count("get power") >= 2


def test_off_of_a_node_that_is_off_sends_no_command(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.set_power(0)
    outcome = fence("off")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Already OFF\n")
    assert bmc.orders() == []
    assert bmc.log().count("get power") == 2


def test_on_powers_the_node_on(fence: Caller, bmc: Simulator) -> None:
    bmc.set_power(0)
    outcome = fence("on")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered ON\n")
    assert bmc.orders() == [ON]
    assert fence("on").stdout == "Success: Already ON\n"
    assert bmc.orders() == [ON]


def test_reboot_is_off_then_on(fence: Caller, bmc: Simulator) -> None:
    outcome = fence("reboot")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert outcome.stderr == ""
    assert bmc.orders() == [OFF, ON]
    assert bmc.power == 1


def test_reboot_of_a_node_that_is_off_turns_it_on(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.set_power(0)
    outcome = fence("reboot")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert bmc.orders() == [ON]


def test_reboot_holds_with_a_warning_if_power_on_fails(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(refuse_on=True)
    outcome = fence("reboot")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert "the node is off and stays off" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert bmc.power == 0


def test_status_and_monitor_observe_only(fence: Caller, bmc: Simulator) -> None:
    on = fence("status")
    assert (on.exit_code, on.stdout, on.stderr) == (0, "Status: ON\n", "")
    bmc.set_power(0)
    off = fence("status")
    assert (off.exit_code, off.stdout, off.stderr) == (2, "Status: OFF\n", "")
    monitor = fence("monitor")
    assert (monitor.exit_code, monitor.stdout, monitor.stderr) == (0, "", "")
    assert bmc.orders() == []


@pytest.mark.parametrize("action", ["off", "on", "status", "reboot", "monitor"])
@pytest.mark.parametrize("power", [0, 1])
def test_answers_are_those_of_fence_ipmilan(
    fence: Caller, peer: Caller, bmc: Simulator, action: str, power: int
) -> None:
    bmc.set_power(power)
    ours = fence(action)
    bmc.set_power(power)
    theirs = peer(action, power_wait=0)
    assert (ours.exit_code, ours.stdout) == (theirs.exit_code, theirs.stdout)


def test_off_waits_for_a_slow_chassis(fence: Caller, bmc: Simulator) -> None:
    bmc.plan(off_takes_s=2)
    outcome = fence("off")
    assert outcome.stdout == "Success: Powered OFF\n"
    assert bmc.power == 0
    assert outcome.seconds >= 2
    assert bmc.orders() == [OFF]


def test_an_ignored_off_is_repeated(fence: Caller, bmc: Simulator) -> None:
    bmc.plan(ignore_offs=1)
    outcome = fence("off")
    assert outcome.stdout == "Success: Powered OFF\n"
    assert bmc.power == 0
    assert bmc.orders() == [OFF, OFF]


def test_an_off_that_is_never_carried_out_fails_in_time(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(ignore_offs=1000)
    outcome = fence("off", power_timeout=5)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "the node is not proven off" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert 5 <= outcome.seconds < 5 + 3
    assert bmc.power == 1


def test_one_false_off_before_the_order_is_no_proof(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(false_reads=[0])
    outcome = fence("off")
    assert outcome.stdout == "Success: Powered OFF\n"
    assert bmc.orders() == [OFF]
    assert bmc.power == 0


def test_a_flapping_state_is_not_off_until_it_stays_off(
    fence: Caller, bmc: Simulator
) -> None:
    # One look before the order, one that some make for it; then it flaps.
    flaps = [1, 1, 0, 1, 0, 1, 0, 1]
    bmc.plan(false_reads=flaps, off_takes_s=0.1)
    outcome = fence("off")
    assert outcome.stdout == "Success: Powered OFF\n"
    assert bmc.power == 0
    assert bmc.log().count("get power") >= len(flaps) + 1
    assert bmc.orders() == [OFF]


def test_a_chassis_that_cannot_be_read_is_not_off(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.set_power(0)
    bmc.plan(stumble=2)
    outcome = fence("off")
    assert outcome.stdout == "Success: Already OFF\n"
    assert bmc.log().count("get power") == 4


def test_delay_counts_from_the_start_and_only_for_off_and_reboot(
    fence: Caller, bmc: Simulator
) -> None:
    begin = time.monotonic()
    assert fence("off", delay=1).exit_code == 0
    assert bmc.times(OFF)[0] - begin >= 1
    assert fence("status", delay=30).seconds < 5


def test_port_as_ip_takes_the_address_from_plug(fence: Caller, bmc: Simulator) -> None:
    outcome = fence("status", ip=None, plug="127.0.0.1", port_as_ip=1)
    assert outcome.stdout == "Status: ON\n"
    assert fence("status", ip="127.0.0.1", plug="nobody.invalid").exit_code == 0


def test_old_names_of_parameters_are_read(fence: Caller) -> None:
    outcome = fence("status", ip=None, ipaddr="127.0.0.1", username=None, login="admin")
    assert outcome.stdout == "Status: ON\n"


def test_the_key_kg_is_used(fence: Caller, tmp_path: Path) -> None:
    key = "key-of-bmc"  # ipmi_sim looks at 16 bytes of it
    with Simulator(tmp_path / "with-key", key=key) as locked:
        fence.bmc = locked
        wrong = fence("status")
        assert (wrong.exit_code, wrong.stdout) == (1, "")
        assert "Kg" in wrong.stderr
        right = fence("status", hexadecimal_kg=key.encode().hex())
        assert right.stdout == "Status: ON\n"
