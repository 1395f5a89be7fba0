"""fence_vmha_redfish when the service, its network or its user are at fault."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest
from bmc import redfish_plan as plan
from bmc.redfish_calls import FENCER, Calls, Case, Ended, assert_fails, assert_safe
from bmc.redfish_plan import Mishap, Plan
from bmc.redfish_server import PASSWORD
from bmc.simulator import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

OFF_DONE = "Success: Powered OFF\n"
REBOOTED = "Success: Rebooted\n"


def wrong(kind: str, on: str = plan.READ, **more: object) -> Plan:
    """Return a plan in which one kind of request goes wrong in one way."""
    return Plan(mishaps=[Mishap(kind, on, **more)])  # type: ignore[arg-type]


def says(status: int, on: str = plan.READ, message: str = "", **more: object) -> Plan:
    """Return a plan in which one kind of request gets a status of its own."""
    return wrong(plan.STATUS, on, status=status, message=message, **more)


RETRY = (("Retry-After", "1"),)
SYSTEM = "/redfish/v1/Systems/1"

# Each cause has its own sentence.
CAUSES = {
    "name": Case(given={"ip": "bmc.invalid"}, words=("cannot be resolved",)),
    "port": Case(given={"ipport": free_port()}, words=("nothing listens",)),
    "expired": Case(certificate="expired", words=("expired", "not trusted")),
    "other name": Case(certificate="other", words=("not trusted", "mismatch")),
    "self-signed": Case(certificate="own", words=("self", "not trusted", "ca_file")),
    "no TLS": Case(certificate="none", words=("no TLS connection", "set ssl=0")),
    "no file": Case(given={"ca_file": "/no-such"}, words=("ca_file /no-such",)),
    "no PEM": Case(given={"ca_file": "/etc/passwd"}, words=("PEM",)),
    "no Redfish": Case(given={"redfish_uri": "/rest"}, words=("no Redfish service",)),
    "user": Case(given={"username": "nobody"}, words=("'nobody'", "password")),
    "password": Case(given={"password": "wrong-Qz7"}, words=("'admin'", "password")),
    "role": Case(Plan(role="ReadOnly"), words=("does not allow", "Operator")),
    "role at the monitor": Case(
        Plan(role="ReadOnly"), "monitor", words=("role ReadOnly", "Configure")
    ),
    "full": Case(Plan(slots=0), words=("all sessions",)),
    "busy": Case(says(503), words=("busy (HTTP status 503)",)),
    "throttled": Case(says(429, headers=RETRY), words=("busy (HTTP status 429)",)),
    "several": Case(
        Plan(systems=("1", "2")), words=("2 systems", SYSTEM, "/redfish/v1/Systems/2")
    ),
    "none": Case(Plan(systems=()), words=("no system",)),
    "unknown": Case(
        given={"systems_uri": "/redfish/v1/Systems/9"}, words=("Systems/9", SYSTEM)
    ),
    "no reset": Case(Plan(has_reset=False), words=("does not offer",)),
    "only graceful": Case(
        Plan(reset_types=("On", "GracefulShutdown")),
        words=("does not offer ForceOff", "GracefulShutdown"),
    ),
    "between": Case(
        Plan(always_shown="PoweringOff"), "status", words=("PoweringOff, which",)
    ),
    "null": Case(Plan(always_shown=None), "status", words=("None", "neither")),
    "small letters": Case(
        Plan(always_shown="off"), "status", words=("state off, which",)
    ),
    "no JSON": Case(wrong(plan.NOT_JSON), words=("no JSON",)),
    "array": Case(wrong(plan.ARRAY), words=("no object",)),
    "endless": Case(wrong(plan.ENDLESS), words=("bytes",)),
    "silent": Case(wrong(plan.SILENT), words=("did not answer", SYSTEM)),
    "away": Case(wrong(plan.AWAY), words=("redirect away",)),
    "conflict": Case(says(409, plan.RESET), words=("present state",)),
    "broken": Case(
        says(500, plan.RESET, "Base.1.0.InternalError"),
        words=("HTTP status 500", "InternalError"),
    ),
}

# Others with the same sentence as one of these, or none that is told here.
MORE = {
    "full with 400": Case(Plan(slots=0, full_status=400), words=("all sessions",)),
    "drip": Case(wrong(plan.DRIP), words=("did not answer",)),
    "cut": Case(wrong(plan.CUT), words=("did not answer",)),
    "the root is silent": Case(
        wrong(plan.SILENT, plan.ROOT), words=("did not answer", "/redfish/v1")
    ),
    "the root drips": Case(wrong(plan.DRIP, plan.ROOT), words=("did not answer",)),
    "the root is endless": Case(wrong(plan.ENDLESS, plan.ROOT), words=("bytes",)),
    "the login is silent": Case(
        wrong(plan.SILENT, plan.LOGIN), words=("did not answer",)
    ),
    "the login is silent and done": Case(
        wrong(plan.SILENT, plan.LOGIN, done=True),
        words=("did not answer",),
        may_leave_session=True,
    ),
    "the login is sent away": Case(wrong(plan.AWAY, plan.LOGIN), words=("308",)),
    "an order is sent away": Case(wrong(plan.AWAY, plan.RESET), words=("308",)),
    "offs are ignored": Case(
        Plan(ignored_offs=9),
        words=("shows it ", "was sent 2 times", "check in the BMC"),
        given={"fencing_timeout": 14},
    ),
    "offs are not answered": Case(
        wrong(plan.SILENT, plan.RESET), words=("not proven",)
    ),
    "off null for ever": Case(Plan(always_shown=None), words=("None",)),
    "off in small letters": Case(Plan(always_shown="off"), words=("state off, which",)),
    "off takes too long": Case(Plan(off_takes_s=30), words=("not proven off",)),
    "off hangs in PoweringOff": Case(
        Plan(off_takes_s=30, shows_between=True), words=("PoweringOff",)
    ),
    "single false offs": Case(
        Plan(ignored_offs=9, shown=("Off", ..., ..., "Off", ..., "Off", ...)),
        words=("not proven off",),
    ),
    "off between two unknowns": Case(
        Plan(ignored_offs=9, shown=("Off", None, "Off", "PoweringOff") * 20),
        words=("not proven off",),
    ),
    "silent after the order": Case(
        wrong(plan.SILENT, after_order=True), words=("not proven off",)
    ),
    "down after the order": Case(
        wrong(plan.RESTART, plan.ANY, after_order=True, down_s=60.0),
        words=("not proven off",),
        may_leave_session=True,
    ),
    "a cycle too short to be seen": Case(
        Plan(cycle_off_s=0.0),
        "reboot",
        given={"method": "cycle"},
        words=("too short to be seen",),
    ),
    "a cycle not answered": Case(
        wrong(plan.SILENT, plan.RESET),
        "reboot",
        given={"method": "cycle"},
        words=("not proven off",),
    ),
    "diag not answered": Case(wrong(plan.SILENT, plan.RESET), "diag"),
    "diag refused": Case(says(500, plan.RESET), "diag"),
}

# It goes wrong, and is mended.
MENDED = {
    "500 though done": Case(says(500, plan.RESET, done=True), stdout=OFF_DONE),
    "done and not answered": Case(
        wrong(plan.SILENT, plan.RESET, done=True), stdout=OFF_DONE
    ),
    "done, the answer cut": Case(
        wrong(plan.CUT, plan.RESET, done=True), stdout=OFF_DONE
    ),
    "409 once": Case(says(409, plan.RESET, times=1), stdout=OFF_DONE),
    "503 once": Case(says(503, plan.RESET, times=1, headers=RETRY), stdout=OFF_DONE),
    "429 once": Case(says(429, times=1, headers=RETRY), stdout=OFF_DONE),
    "503 once for a read": Case(says(503, times=1), stdout=OFF_DONE),
    "reads stumble": Case(
        wrong(plan.NOT_JSON, after_order=True, times=2), stdout=OFF_DONE
    ),
    "a read is cut": Case(wrong(plan.CUT, after_order=True, times=1), stdout=OFF_DONE),
    "a read is silent": Case(
        wrong(plan.SILENT, after_order=True, times=1), stdout=OFF_DONE
    ),
    "session ended before the order": Case(
        wrong(plan.FORGOTTEN, plan.RESET, times=1), stdout=OFF_DONE
    ),
    "session ended at a read": Case(
        wrong(plan.FORGOTTEN, after_order=True, times=1), stdout=OFF_DONE
    ),
    "restart after the order": Case(
        wrong(plan.RESTART, after_order=True, times=1), stdout=OFF_DONE
    ),
    "restart with the order": Case(
        wrong(plan.RESTART, plan.RESET, times=1), stdout=OFF_DONE
    ),
    "restart with the order, done": Case(
        wrong(plan.RESTART, plan.RESET, times=1, done=True), stdout=OFF_DONE
    ),
    "a single false off": Case(
        Plan(off_takes_s=1.0, shown=("Off", ..., "Off", ...)), stdout=OFF_DONE
    ),
    # An off that may come late: the node is proven off, and is left off.
    "late off, not answered": Case(
        Plan(mishaps=[Mishap(plan.SILENT, plan.RESET, times=1, done=True, late_s=6.0)]),
        "reboot",
        stdout=REBOOTED,
        warned=True,
        given={"fencing_timeout": 14},
    ),
    "off done and not answered, reboot": Case(
        wrong(plan.SILENT, plan.RESET, times=1, done=True),
        "reboot",
        stdout=REBOOTED,
        warned=True,
    ),
    "500 though done, reboot": Case(
        says(500, plan.RESET, done=True, times=1),
        "reboot",
        stdout=REBOOTED,
        warned=True,
    ),
    "on refused": Case(
        says(500, plan.RESET, skip=1), "reboot", stdout=REBOOTED, warned=True
    ),
    "on not answered": Case(
        wrong(plan.SILENT, plan.RESET, skip=1), "reboot", stdout=REBOOTED, warned=True
    ),
    "a task that lasts": Case(Plan(takes_as_task_s=2.0), "reboot", stdout=REBOOTED),
    "tasks cannot be asked": Case(
        Plan(takes_as_task_s=0.5, mishaps=[Mishap(plan.SILENT, plan.TASK)]),
        "reboot",
        stdout=REBOOTED,
        warned=True,
        given={"fencing_timeout": 14},
    ),
}
ALL = {**CAUSES, **MORE, **MENDED}


@pytest.fixture(scope="module")
def ends(calls: Calls) -> dict[str, Ended]:
    """Make all these calls side by side."""
    assert len(ALL) == len(CAUSES) + len(MORE) + len(MENDED)
    return calls.ends(ALL)


@pytest.mark.parametrize("name", [*CAUSES, *MORE])
def test_the_failure_is_told_in_one_line(ends: dict[str, Ended], name: str) -> None:
    assert_fails(ends[name])


@pytest.mark.parametrize("name", MENDED)
def test_the_action_holds_all_the_same(ends: dict[str, Ended], name: str) -> None:
    ended = ends[name]
    outcome = ended.outcome
    assert (outcome.exit_code, outcome.stdout) == (0, ended.case.stdout), ended
    assert_safe(ended)


def test_every_cause_has_a_sentence_of_its_own(ends: dict[str, Ended]) -> None:
    told = {name: ends[name].outcome.stderr for name in CAUSES}
    shape = {
        text.replace(str(ends[name].bmc.port), "PORT") for name, text in told.items()
    }
    assert len(shape) == len(CAUSES), told


def test_a_wrong_password_is_not_shown(ends: dict[str, Ended]) -> None:
    assert "wrong-Qz7" not in ends["password"].outcome.stderr


@pytest.mark.parametrize(
    "name", ["a cycle not answered", "diag not answered", "diag refused"]
)
def test_a_cycle_and_a_diag_are_sent_once(ends: dict[str, Ended], name: str) -> None:
    assert len(ends[name].bmc.orders) == 1


@pytest.mark.parametrize(
    "name",
    ["late off, not answered", "off done and not answered, reboot"],
)
def test_no_on_follows_an_off_that_may_still_come(
    ends: dict[str, Ended], name: str
) -> None:
    assert "On" not in [kind for _, kind in ends[name].bmc.orders]


@pytest.mark.parametrize(
    "name", ["expired", "other name", "self-signed", "no TLS", "no file", "no PEM"]
)
def test_nobody_untrusted_gets_the_password(ends: dict[str, Ended], name: str) -> None:
    assert ends[name].bmc.requests == []


@pytest.mark.parametrize("name", ["away", "the login is sent away"])
def test_nobody_is_followed_to_another_host(ends: dict[str, Ended], name: str) -> None:
    assert ends[name].outcome.seconds < 5


def test_a_service_that_was_ready_to_fence_is_left_for_the_next_device_at_once(
    ends: dict[str, Ended],
) -> None:
    for name in ("silent", "the root is silent", "port", "name", "drip"):
        assert ends[name].outcome.seconds < 4, name


def test_persistent_lies_deceive_one_device(calls: Calls) -> None:
    """What one channel cannot know: only a second device could contradict it."""
    lies = Case(Plan(ignored_offs=9, always_shown="Off"))
    ended = calls.end(lies)
    assert ended.outcome.stdout == "Success: Already OFF\n"
    assert ended.bmc.node.power() == plan.ON


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Return a port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        yield door


@pytest.mark.parametrize("action", ["status", "monitor", "off", "reboot"])
def test_a_port_that_says_nothing_at_all(
    calls: Calls, silent: socket.socket, action: str
) -> None:
    with calls.service(Plan()) as bmc:
        port = silent.getsockname()[1]
        outcome = calls.caller(bmc, ipport=port, login_timeout=1)(action, FENCER)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "does not complete the TLS handshake" in outcome.stderr
    assert PASSWORD not in outcome.stderr
    assert outcome.seconds < 3
