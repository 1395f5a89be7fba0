"""fence_vmha_redfish on a service that is in order, or has its own ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bmc.redfish_calls import FENCER, Calls, Case, Ended, assert_safe
from bmc.redfish_plan import OFF, ON, READ, ROOT, SLASH, Mishap, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bmc.calls import Caller
    from bmc.redfish_server import RedfishServer

OFF_DONE = "Success: Powered OFF\n"
REBOOTED = "Success: Rebooted\n"

GOOD = {
    "status": Case(action="status", stdout="Status: ON\n"),
    "monitor": Case(action="monitor"),
    "off": Case(stdout=OFF_DONE),
    "reboot": Case(action="reboot", stdout=REBOOTED),
    "on": Case(action="on", stdout="Success: Already ON\n"),
    "cycle": Case(
        Plan(cycle_off_s=1.5),
        "reboot",
        stdout=REBOOTED,
        given={"method": "cycle"},
    ),
    "off that takes a second": Case(Plan(off_takes_s=1.0), stdout=OFF_DONE),
    "off by way of PoweringOff": Case(
        Plan(off_takes_s=1.0, shows_between=True), stdout=OFF_DONE
    ),
    "the first off ignored": Case(
        Plan(ignored_offs=1), stdout=OFF_DONE, given={"fencing_timeout": 14}
    ),
    "no sessions, Basic only": Case(Plan(has_sessions=False), stdout=OFF_DONE),
    "a role that may": Case(Plan(role="Operator"), "monitor"),
    "accounts are hidden": Case(Plan(shows_accounts=False), "monitor"),
    "types in an ActionInfo": Case(Plan(tells_types="ActionInfo"), stdout=OFF_DONE),
    "types nowhere": Case(Plan(tells_types="nowhere"), stdout=OFF_DONE),
    "on is called ForceOn": Case(
        Plan(reset_types=("ForceOff", "ForceOn")), "reboot", stdout=REBOOTED
    ),
    "a cycle is called ForceRestart": Case(
        Plan(reset_types=("ForceRestart", "ForceOff", "On"), cycle_off_s=1.5),
        "reboot",
        stdout=REBOOTED,
        given={"method": "cycle"},
    ),
    "one of several systems": Case(
        Plan(systems=("1", "2")),
        stdout=OFF_DONE,
        given={"systems_uri": "/redfish/v1/Systems/2"},
    ),
    "a redirect to the slash": Case(
        Plan(mishaps=[Mishap(SLASH, ROOT)]), stdout=OFF_DONE
    ),
    "a redirect of the system": Case(
        Plan(mishaps=[Mishap(SLASH, READ)]), stdout=OFF_DONE
    ),
    "an ETag demanded with 412": Case(Plan(demands_etag=412), stdout=OFF_DONE),
    "an ETag demanded with 428": Case(Plan(demands_etag=428), stdout=OFF_DONE),
    "orders become tasks": Case(Plan(takes_as_task_s=0.5), "reboot", stdout=REBOOTED),
    "plain HTTP": Case(
        stdout=OFF_DONE, certificate="none", given={"ssl": 0, "ca_file": None}
    ),
    "any certificate": Case(
        stdout=OFF_DONE,
        certificate="own",
        given={"ssl_insecure": 1, "ca_file": None},
    ),
    "the name localhost": Case(stdout=OFF_DONE, given={"ip": "localhost"}),
}


@pytest.fixture(scope="module")
def ends(calls: Calls) -> dict[str, Ended]:
    """Make all these calls side by side."""
    return calls.ends(GOOD)


@pytest.mark.parametrize("name", GOOD)
def test_the_action_succeeds(ends: dict[str, Ended], name: str) -> None:
    ended = ends[name]
    outcome = ended.outcome
    assert (outcome.exit_code, outcome.stdout) == (0, ended.case.stdout), ended
    assert_safe(ended)
    wanted = {"off": OFF, "reboot": ON}.get(ended.case.action, ON)
    assert ended.bmc.node.power(ended.end + 5) == wanted, ended


def test_a_reboot_by_tasks_waits_for_the_end_of_its_off(
    ends: dict[str, Ended],
) -> None:
    assert [kind for _, kind in ends["orders become tasks"].bmc.orders] == [
        "ForceOff",
        "On",
    ]


@pytest.mark.parametrize("name", ["cycle", "a cycle is called ForceRestart"])
def test_a_cycle_is_ordered_once(ends: dict[str, Ended], name: str) -> None:
    assert len(ends[name].bmc.orders) == 1


def test_an_ignored_off_is_ordered_again(ends: dict[str, Ended]) -> None:
    assert len(ends["the first off ignored"].bmc.orders) == 2


def test_only_the_chosen_system_is_reset(ends: dict[str, Ended]) -> None:
    paths = [path for _, how, path in ends["one of several systems"].bmc.requests]
    assert "/redfish/v1/Systems/2/Actions/ComputerSystem.Reset" in paths
    assert not any(path.startswith("/redfish/v1/Systems/1") for path in paths)


@pytest.fixture
def bmc(calls: Calls) -> Iterator[RedfishServer]:
    """Return a healthy service."""
    with calls.service(Plan()) as server:
        yield server


@pytest.fixture
def fence(calls: Calls, bmc: RedfishServer) -> Caller:
    """Return the agent, set up for it."""
    return calls.caller(bmc)


def test_the_sentences_are_those_of_the_other_agents(
    fence: Caller, bmc: RedfishServer
) -> None:
    told = [
        (action, fence(action))
        for action in ("status", "off", "off", "status", "on", "on", "status")
    ]
    assert [(name, end.exit_code, end.stdout, end.stderr) for name, end in told] == [
        ("status", 0, "Status: ON\n", ""),
        ("off", 0, "Success: Powered OFF\n", ""),
        ("off", 0, "Success: Already OFF\n", ""),
        ("status", 2, "Status: OFF\n", ""),
        ("on", 0, "Success: Powered ON\n", ""),
        ("on", 0, "Success: Already ON\n", ""),
        ("status", 0, "Status: ON\n", ""),
    ]
    assert [kind for _, kind in bmc.orders] == ["ForceOff", "On"]
    assert bmc.logins == 7
    assert bmc.sessions == {}


def test_a_reboot_of_a_node_that_is_off_turns_it_on(
    fence: Caller, bmc: RedfishServer
) -> None:
    bmc.node.change(OFF)
    assert fence("reboot").stdout == REBOOTED
    assert [kind for _, kind in bmc.orders] == ["On"]
    assert bmc.node.power() == ON


def test_a_diagnostic_interrupt_is_sent_once_and_is_no_fencing(
    fence: Caller, bmc: RedfishServer
) -> None:
    by_hand = fence("diag")
    assert by_hand.exit_code == 0
    assert [kind for _, kind in bmc.orders] == ["Nmi"]
    by_the_fencer = fence("diag", FENCER)
    assert by_the_fencer.exit_code == 1
    assert "proves nothing" in by_the_fencer.stderr
    assert len(bmc.orders) == 2


def test_ipv6_works(calls: Calls) -> None:
    with calls.service(Plan(), host="::1") as bmc:
        assert calls.caller(bmc)("off").stdout == OFF_DONE
        assert calls.caller(bmc, ip="[::1]")("status").stdout == "Status: OFF\n"


def test_a_connection_that_the_service_leaves_costs_one_more(
    fence: Caller, bmc: RedfishServer
) -> None:
    bmc.plan.off_takes_s = 0.5
    assert fence("off").exit_code == 0
    # A login, the collection, the system, the order, and one read each 0.1 s.
    assert len(bmc.requests) < 20
