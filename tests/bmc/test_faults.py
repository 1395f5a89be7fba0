"""fence_vmha_ipmi when the BMC, its network, its library or its user are at fault."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest
from bmc.calls import Caller
from bmc.simulator import PASSWORD, free_port

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.diagnoses import Busy
from vmha.fence.ipmi.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bmc.calls import Outcome
    from bmc.simulator import Simulator

FENCER = {"PCMK_service": "pacemaker-fenced"}
CLASSIFIED = ("timed out", "timeout", "unrecognised", "unsupported")


def assert_fails_saying(outcome: Outcome, *words: str) -> None:
    """Check a failure: exit code 1, silent stdout, one line with all the words."""
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert len(outcome.stderr.splitlines()) == 1
    for word in words:
        assert word in outcome.stderr
    for word in CLASSIFIED:
        assert word not in outcome.stderr.lower()
    assert PASSWORD not in outcome.stderr


def test_wrong_password_is_named_and_not_shown(fence: Caller) -> None:
    wrong = "wrong-secret"
    outcome = fence("off", password=wrong)
    assert_fails_saying(outcome, "password", "'admin'", "check password")
    assert wrong not in outcome.stderr


def test_unknown_user_is_named(fence: Caller) -> None:
    assert_fails_saying(fence("off", username="nobody"), "no user 'nobody'")


def test_a_refused_suite_is_named_and_auto_finds_another(fence: Caller) -> None:
    assert_fails_saying(fence("status", cipher=17), "suite 17", "cipher=auto")
    assert fence("status", cipher=3).exit_code == 0
    assert fence("status", cipher="auto").exit_code == 0


def test_an_unresolvable_name_fails_at_once(fence: Caller) -> None:
    outcome = fence("off", ip="bmc.invalid")
    assert_fails_saying(outcome, "bmc.invalid", "cannot be resolved")


def test_a_closed_port_is_named(fence: Caller) -> None:
    outcome = fence("off", ipport=free_port(), login_timeout=1)
    assert_fails_saying(outcome, "nothing listens", "ipport")
    assert outcome.seconds < 1 + 2


def test_a_port_that_stays_silent_is_no_answer(fence: Caller) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        outcome = fence("off", ipport=port, login_timeout=2)
    assert_fails_saying(outcome, "does not answer", "IPMI over LAN")
    assert 2 <= outcome.seconds < 2 + 2


def test_a_frozen_bmc_fails_fast_so_that_the_next_device_gets_its_turn(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.freeze()
    outcome = fence("off", FENCER)
    assert_fails_saying(outcome, "does not answer")
    assert outcome.seconds < 36 / 2


def test_a_bmc_that_freezes_after_the_order_fails_within_power_timeout(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(off_takes_s=60)
    call = fence.start("off", power_timeout=4)
    wait_for(lambda: bool(bmc.orders()))
    bmc.freeze()
    outcome = call.outcome()
    assert_fails_saying(outcome, "not proven off", "does not answer")
    assert outcome.seconds < 4 + 1.5 + 2


def test_a_bmc_that_comes_back_is_logged_in_to_again(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(off_takes_s=1)
    call = fence.start("off", shell_timeout=1)
    wait_for(lambda: bool(bmc.orders()))
    bmc.stop()
    bmc.start()
    assert call.outcome().stdout == "Success: Powered OFF\n"
    assert bmc.power == 0


def test_a_reboot_asks_in_a_fresh_session_whether_the_old_one_is_gone(
    fence: Caller, bmc: Simulator
) -> None:
    bmc.plan(off_takes_s=1)
    call = fence.start("reboot", shell_timeout=1)
    wait_for(lambda: bool(bmc.orders()))
    bmc.stop()
    bmc.start()
    outcome = call.outcome()
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Rebooted\n")
    assert outcome.stderr == ""
    assert bmc.orders()[-1] == "set power 1"
    assert bmc.power == 1


@pytest.mark.parametrize(
    "hang",
    [
        "while True: pass",
        "import ctypes; ctypes.PyDLL(None).sleep(3600)",  # holds the interpreter's lock
    ],
)
def test_the_deadline_holds_when_the_library_hangs(
    fence: Caller, bmc: Simulator, tmp_path: Path, hang: str
) -> None:
    private = tmp_path / "hangs/pyghmi/ipmi/private"
    private.mkdir(parents=True)
    for package in (private, private.parent, private.parent.parent):
        (package / "__init__.py").write_text("")
    (private / "session.py").write_text(hang + "\n")
    changed = changed_copy(fence, tmp_path, f"sys.path.insert(0, '{tmp_path}/hangs')")
    call = Caller(changed, bmc).start("status", login_timeout=1, shell_timeout=1)
    wait_for(lambda: bool(children(call.process.pid)))
    (worker,) = children(call.process.pid)
    outcome = call.outcome()
    assert_fails_saying(outcome, "hung", "counts as running")
    assert outcome.seconds < 2 + 1.5 + 1
    assert not os.path.exists(f"/proc/{worker}")


def test_a_proven_off_holds_when_logout_hangs(
    fence: Caller, bmc: Simulator, tmp_path: Path
) -> None:
    hang = (
        "import itertools, vmha.fence.ipmi.session as own\n"
        "own.Session.close = lambda *_: all(True for _ in itertools.count())"
    )
    changed = changed_copy(fence, tmp_path, hang)
    outcome = Caller(changed, bmc)("off")
    assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered OFF\n")
    assert outcome.seconds < 1.5 + 2
    assert bmc.power == 0


def test_the_worker_dies_with_its_parent(fence: Caller, bmc: Simulator) -> None:
    bmc.plan(off_takes_s=60)
    call = fence.start("off")
    wait_for(lambda: bool(bmc.orders()))
    (worker,) = children(call.process.pid)
    call.process.send_signal(signal.SIGKILL)
    call.process.communicate()
    wait_for(lambda: not os.path.exists(f"/proc/{worker}"))


def test_sessions_are_closed(bmc: Simulator) -> None:
    for _ in range(70):  # ipmi_sim has room for 63
        log_in(bmc).close(Deadline(1))


def test_a_bmc_without_a_free_session_is_busy(fence: Caller, bmc: Simulator) -> None:
    held = list(hold_all_sessions(bmc))
    outcome = fence("status", login_timeout=1, shell_timeout=1)
    for session in held:
        assert session.close(Deadline(1))
    assert_fails_saying(outcome, "busy", "sessions are taken")
    assert fence("status").exit_code == 0


def hold_all_sessions(bmc: Simulator) -> Iterator[Session]:
    """Log in until the BMC refuses."""
    for _ in range(100):
        try:
            yield log_in(bmc)
        except Busy:
            return
    raise AssertionError("the BMC never refused")


def log_in(bmc: Simulator) -> Session:
    """Open a session in this process."""
    access = Access("127.0.0.1", bmc.port, b"admin", PASSWORD.encode())
    return open_session(access, Deadline(5))


def changed_copy(fence: Caller, folder: Path, lines: str) -> Path:
    """Copy the executable with some lines before its first import of vmha."""
    copy = folder / "fence_vmha_ipmi"
    text = fence.executable.read_text()
    copy.write_text(text.replace("from vmha", f"{lines}\nfrom vmha", 1))
    copy.chmod(0o755)
    return copy


def children(pid: int) -> list[int]:
    """Return the process's children."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def wait_for(happened: object, limit_s: float = 10.0) -> None:
    """Wait until a condition holds."""
    assert callable(happened)
    end = time.monotonic() + limit_s
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)
