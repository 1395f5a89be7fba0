"""Guests that live and are not well: what each monitor says, and what stop does."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import PEER, Resource
from hosts.patient import Patient
from hosts.pool import Pool
from hosts.waiting import until
from lab.guest import Guest

Running = Callable[..., tuple[Resource, Guest]]
Admitted = tuple[Resource, Patient]


@pytest.fixture
def patient(
    alpha: Host, agent: Path, pool: Pool, made: list[Guest]
) -> Iterator[Admitted]:
    """A booted patient on alpha, in the hands of a resource."""
    made.append(pool.defined())
    ill = Patient(alpha, made[-1])
    resource = guests.resource(agent, ill.guest)
    assert resource.call(alpha, "start").code == 0
    ill.await_ready()
    yield resource, ill
    ill.discharge()


def codes(host: Host, resource: Resource, policy: str) -> dict[str, tuple[int, int]]:
    """Return what a recurring monitor and a probe answer under each policy."""
    found = {}
    for value in ("ok", "degraded", "fail"):
        changed = resource.but(**{policy: value})
        recurring = changed.call(host, "monitor", interval_s=10)
        found[value] = recurring.code, changed.call(host, "monitor").code
    return found


EACH = {"ok": (0, 0), "degraded": (190, 190), "fail": (1, 1)}


@pytest.mark.timeout(120)
def test_a_guest_whose_disk_fails_or_fills_is_told_from_a_running_one(
    alpha: Host, patient: Admitted
) -> None:
    resource, ill = patient
    assert resource.leveled(10).call(alpha, "monitor", interval_s=60).code == 0

    ill.order("spoil-b")
    ill.await_state("paused (I/O error)")
    full = resource.call(alpha, "monitor", interval_s=10)
    assert (full.code, len(full.reasons)) == (190, 1)
    assert "full (vdb)" in full.reason
    assert resource.call(alpha, "start").code == 0
    assert codes(alpha, resource, "no_space_policy") == EACH
    theirs = resource.by(PEER).call(alpha, "monitor", interval_s=10)
    assert theirs.code == 0, "VirtualDomain notices nothing"
    ill.make_space()
    ill.await_state("running")
    assert resource.call(alpha, "monitor", interval_s=10).code == 0

    ill.order("spoil-a")
    ill.await_state("paused (I/O error)")
    broken = resource.call(alpha, "monitor", interval_s=10)
    assert broken.code == 1
    assert "I/O error (vda" in broken.reason
    assert codes(alpha, resource, "io_error_policy") == EACH
    assert resource.by(PEER).call(alpha, "monitor", interval_s=10).code == 0

    assert resource.call(alpha, "start").code == 1
    assert alpha.emulators(ill.guest.uuid), "a refused start touches nothing"
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(ill.guest.uuid) == []


@pytest.mark.timeout(90)
def test_a_kernel_that_panics_is_seen(alpha: Host, patient: Admitted) -> None:
    resource, ill = patient
    ill.order("panic")
    ill.await_state("crashed (panicked)")

    seen = resource.call(alpha, "monitor", interval_s=10)

    assert seen.code == 1
    assert "panicked" in seen.reason
    assert codes(alpha, resource, "panic_policy") == EACH
    assert resource.call(alpha, "stop").code == 0
    assert alpha.emulators(ill.guest.uuid) == []


def test_an_administrators_pause_is_left_alone(alpha: Host, running: Running) -> None:
    resource, guest = running()
    alpha.virsh("suspend", guest.name)

    assert resource.call(alpha, "monitor", interval_s=10).code == 0
    assert codes(alpha, resource, "paused_policy") == EACH
    script = resource.but(monitor_scripts="/bin/false")
    assert script.call(alpha, "monitor", interval_s=10).code == 0
    assert resource.call(alpha, "stop").code == 0


@pytest.mark.timeout(120)
def test_a_guest_in_which_nothing_happens_is_hung_and_a_busy_one_is_not(
    alpha: Host, patient: Admitted
) -> None:
    resource, ill = patient
    hasty = resource.but(hang_timeout="2", agent_timeout="2").leveled(10)

    def inside(**changed: str) -> int:
        asked = hasty.but(**changed).leveled(10)
        return asked.call(alpha, "monitor", interval_s=60).code

    ill.order("busy")
    assert [inside() for _ in range(4)] == [0] * 4

    ill.order("stall")
    until(30, lambda: inside() == 190, "the stalled guest is not seen to be hung")
    hung = hasty.call(alpha, "monitor", interval_s=60)
    assert "hung" in hung.reason
    assert inside(hang_policy="fail") == 1
    assert inside(hang_policy="ok") == 0
    assert inside(guest_agent="ignore") == 0
    assert resource.call(alpha, "monitor", interval_s=10).code == 0


@pytest.mark.timeout(90)
def test_an_emulator_that_answers_nothing_is_degraded_in_time(
    alpha: Host, running: Running
) -> None:
    resource, guest = running(hang_timeout="2", agent_timeout="1")
    deep = resource.leveled(10)
    emulator = alpha.emulators(guest.uuid)[0]
    assert deep.call(alpha, "monitor", interval_s=60).code == 0

    os.kill(emulator, signal.SIGSTOP)
    try:
        first = deep.call(alpha, "monitor", interval_s=60)
        assert (first.code, first.killed) == (0, False)
        assert first.seconds < 10
        until(
            20,
            lambda: deep.call(alpha, "monitor", interval_s=60).code == 190,
            "nobody notices that the emulator is frozen",
        )
    finally:
        os.kill(emulator, signal.SIGCONT)
    until(
        20,
        lambda: deep.call(alpha, "monitor", interval_s=60).code == 0,
        "it goes on, and that is not seen",
    )


def test_scripts_know_their_guest_and_have_their_own_time(
    alpha: Host, running: Running
) -> None:
    resource, guest = running()
    for name, text in {
        "who": "[ $VMHA_GUEST_NAME/$VMHA_GUEST_UUID = $1 ]",
        "slow": "exec sleep 600",
    }.items():
        path = alpha.path(f"/run/guests/{name}")
        words = text.replace("$1", f"{guest.name}/{guest.uuid}")
        path.write_text(f"#!/bin/sh\n{words} && [ $VMHA_URI = qemu:///system ]\n")
        path.chmod(0o755)

    def monitor(script: str, level: int | None = None) -> tuple[int, float]:
        changed = resource.but(monitor_scripts=script, monitor_script_timeout="1")
        asked = changed if level is None else changed.leveled(level)
        answer = asked.call(alpha, "monitor", interval_s=10)
        return answer.code, answer.seconds

    assert monitor("/run/guests/who")[0] == 0
    code, seconds = monitor("/run/guests/slow")
    assert code == 1
    assert seconds < 6
    assert [monitor("/bin/false", level)[0] for level in (0, 5, 10, 19)] == [0] * 4
    assert [monitor("/bin/false", level)[0] for level in (None, 20, 99)] == [1] * 3
