"""The password of a Redfish service is seen by nobody but the service."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from bmc import redfish_plan as plan
from bmc.calls import Caller
from bmc.redfish_calls import Case, assert_safe
from bmc.redfish_plan import Mishap, Plan
from bmc.redfish_server import PASSWORD, USER
from bmc.test_secrets import Watcher, lines_of, log

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from bmc.redfish_calls import Calls
    from bmc.redfish_server import RedfishServer

pytestmark = pytest.mark.alone

__all__ = ["log"]
WRONG = "not-the-Qz7-password"


@pytest.fixture(params=["sessions", "Basic"])
def bmc(calls: Calls, request: pytest.FixtureRequest) -> Iterator[RedfishServer]:
    """Return a service with sessions, and one without."""
    script = Plan(has_sessions=request.param == "sessions", off_takes_s=0.3)
    with calls.service(script) as server:
        yield server


def test_the_password_is_in_no_process_list(calls: Calls, bmc: RedfishServer) -> None:
    fence = calls.caller(bmc)
    with Watcher(PASSWORD) as watcher:
        assert fence("reboot").exit_code == 0
        assert fence("monitor").exit_code == 0
    assert watcher.rounds > 5
    assert watcher.seen == set()


@pytest.mark.parametrize("secret", [PASSWORD, WRONG])
def test_nothing_that_is_written_holds_the_password(
    calls: Calls,
    bmc: RedfishServer,
    tmp_path: Path,
    log: socket.socket,
    secret: str,
) -> None:
    kept = tmp_path / "password"
    kept.write_text(secret + "\n")
    kept.chmod(0o600)
    fence = calls.caller(bmc, verbose=1, debug_file=f"{tmp_path}/debug")
    wrapped = tmp_path / "fence_with_log"
    wrapped.write_text(
        f"#!/bin/sh\nmount --bind {tmp_path}/dev /dev && exec {fence.executable}\n"
    )
    wrapped.chmod(0o700)
    apart = tmp_path / "fence_apart"
    apart.write_text(f"#!/bin/sh\nexec unshare --mount {wrapped}\n")
    apart.chmod(0o700)
    loud = Caller(apart, bmc, **fence.standard)
    given: tuple[dict[str, object], ...] = (
        {"password": secret},
        {"password": None, "password_file": kept},
        {"password": None, "password_script": f"/usr/bin/cat {kept}"},
    )
    written = ""
    for action, source in zip(("status", "reboot", "monitor"), given):
        outcome = loud(action, {"HA_debug": "1"}, **source)
        assert (outcome.exit_code == 0) == (secret == PASSWORD), outcome
        written += outcome.stdout + outcome.stderr + lines_of(log)
    written += (tmp_path / "debug").read_text()
    assert written.count("looking for 127.0.0.1") >= 3 * 3
    pair = base64.b64encode(f"{USER}:{secret}".encode()).decode()
    for form in (secret, secret.encode().hex(), pair):
        assert form not in written


def test_a_service_that_repeats_the_password_is_not_quoted(calls: Calls) -> None:
    echo = f"Bad.{PASSWORD}"
    places = (plan.ROOT, plan.LOGIN, plan.READ, plan.RESET)
    ends = calls.ends(
        {
            on: Case(Plan(mishaps=[Mishap(plan.STATUS, on, status=400, message=echo)]))
            for on in places
        }
    )
    for ended in ends.values():
        assert ended.outcome.exit_code == 1, ended
        assert_safe(ended)
