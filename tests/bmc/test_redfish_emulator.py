"""fence_vmha_redfish against sushy-tools, beside fence_redfish on the same emulator.

One BMC has a node that is real: a QEMU domain, whose power the process table tells.
"""

from __future__ import annotations

import base64
import json
import ssl
import urllib.request
from typing import TYPE_CHECKING

import pytest
from bmc.calls import Outcome, Started
from bmc.redfish_emulator import (
    ADDRESS,
    NODE,
    PASSWORD,
    SPARE,
    USER,
    Emulator,
    fake_systems,
)
from bmc.redfish_guest import UUID, Guest
from hosts.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PEER_NAME = "fence_redfish"
FENCER = {"PCMK_service": "pacemaker-fenced"}


class Caller:
    """Calls one agent for one emulator, as the fencer does."""

    def __init__(self, executable: str, emulator: Emulator) -> None:
        self.executable = executable
        self.emulator = emulator

    def start(
        self, action: str, environ: Mapping[str, str] | None = None, **more: object
    ) -> Started:
        parameters = {
            "action": action,
            "nodename": "node1",
            "plug": "node1",
            "ip": ADDRESS,
            "ipport": self.emulator.port,
            "username": USER,
            "password": PASSWORD,
            "ssl_insecure": 1,
            **more,
        }
        given = {k: v for k, v in parameters.items() if v is not None}
        lines = "".join(f"{name}={value}\n" for name, value in given.items())
        return Started(self.executable, lines, dict(environ or {}))  # type: ignore[arg-type]

    def __call__(
        self, action: str, environ: Mapping[str, str] | None = None, **more: object
    ) -> Outcome:
        return self.start(action, environ, **more).outcome()


class Rack:
    """The fake driver's node."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def power(self, uuid: str = NODE["uuid"]) -> str:
        """Return the node's power."""
        shown = str(self._ask(f"/redfish/v1/Systems/{uuid}")["PowerState"])
        return shown.lower()

    def turn(self, power: str, uuid: str = NODE["uuid"]) -> None:
        """Bring the node on or off."""
        if self.power(uuid) != power:
            kind = {"on": "On", "off": "ForceOff"}[power]
            path = f"/redfish/v1/Systems/{uuid}/Actions/ComputerSystem.Reset"
            self._ask(path, {"ResetType": kind})
            until(10, lambda: self.power(uuid) == power, f"not {power}")

    def _ask(
        self, path: str, content: Mapping[str, str] | None = None
    ) -> dict[str, object]:
        pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        request = urllib.request.Request(
            f"https://{ADDRESS}:{self.emulator.port}{path}",
            json.dumps(content).encode() if content else None,
            {"Authorization": f"Basic {pair}", "Content-Type": "application/json"},
        )
        context = ssl.create_default_context(cafile=str(self.emulator.authority))
        with urllib.request.urlopen(  # noqa: S310 - the address is ours
            request, timeout=10, context=context
        ) as answer:
            body = answer.read()
        found: dict[str, object] = json.loads(body) if body else {}
        return found


class Real:
    """The libvirt driver's node."""

    def __init__(self, emulator: Emulator, guest: Guest) -> None:
        self.emulator = emulator
        self.guest = guest

    def power(self) -> str:
        """Return the node's power, as the process table has it."""
        return "on" if self.guest.emulators() else "off"

    def turn(self, power: str) -> None:
        """Bring the node on or off."""
        self.guest.turn(power)
        until(10, lambda: self.power() == power, f"not {power}")


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    """Return a BMC with one system, which takes a second at most."""
    folder = tmp_path_factory.mktemp("rack") / "emulator"
    with Emulator(folder, fake_systems("On")) as emulator:
        yield Rack(emulator)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rack]:
    """Return a BMC with two systems."""
    folder = tmp_path_factory.mktemp("crowd") / "emulator"
    with Emulator(folder, fake_systems("On", "On")) as emulator:
        yield Rack(emulator)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """Return a BMC with one system, a QEMU domain."""
    folder = tmp_path_factory.mktemp("real")
    guest = Guest(folder / "host")
    setting = f"SUSHY_EMULATOR_LIBVIRT_URI = {guest.uri!r}"
    with Emulator(folder / "emulator", setting) as emulator:
        yield Real(emulator, guest)
    guest.end()


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory, root: Path) -> str:
    """Return our executable."""
    return str(root / "sbin/fence_vmha_redfish")


SYSTEMS = "/redfish/v1/Systems"
Situation = tuple[str, str, dict[str, object], str]
SAME: tuple[Situation, ...] = (
    ("status", "on", {}, "on"),
    ("status", "off", {}, "off"),
    ("monitor", "on", {}, "on"),
    ("monitor", "off", {}, "off"),
    ("validate-all", "on", {}, "on"),
    ("off", "on", {}, "off"),
    ("off", "off", {}, "off"),
    ("on", "off", {}, "on"),
    ("on", "on", {}, "on"),
    ("reboot", "on", {}, "on"),
    ("reboot", "off", {}, "on"),
    ("off", "on", {"password": "wrong"}, "on"),
    ("status", "on", {"username": "nobody"}, "on"),
    ("off", "on", {"systems_uri": f"{SYSTEMS}/nowhere"}, "on"),
    ("status", "on", {"redfish_uri": "/redfish/v1/"}, "on"),
    ("status", "on", {"redfish-uri": "/redfish/v9"}, "on"),
    ("off", "on", {"ssl_insecure": None}, "on"),
    ("off", "on", {"username": None}, "on"),
    ("status", "on", {"ip": None, "port_as_ip": 1, "plug": ADDRESS}, "on"),
)


@pytest.mark.parametrize("situation", SAME, ids=lambda s: f"{s[0]}-{s[1]}-{s[2]}")
def test_it_answers_as_fence_redfish_does_where_that_is_right(
    real: Real, ours: str, situation: Situation
) -> None:
    both_answer_alike(real, ours, situation)


@pytest.mark.parametrize("action", ["status", "off", "reboot"])
def test_a_bmc_that_takes_a_second_is_no_other(
    rack: Rack, ours: str, action: str
) -> None:
    after = "off" if action == "off" else "on"
    both_answer_alike(rack, ours, (action, "on", {}, after))


def both_answer_alike(node: Rack | Real, ours: str, situation: Situation) -> None:
    """Check exit code and stdout of both, stderr of ours, and the true power."""
    action, before, more, after = situation
    ends = []
    for executable in (PEER_NAME, ours):
        node.turn(before)
        outcome = Caller(executable, node.emulator)(action, None, **more)
        ends.append((outcome.exit_code, outcome.stdout))
        until(5, lambda: node.power() == after, f"not {after}: {outcome}")
    assert ends[0] == ends[1]
    assert outcome.stderr == "" or outcome.exit_code == 1
    assert len(outcome.stderr.splitlines()) == (outcome.exit_code == 1)


def test_the_address_may_hold_the_port(rack: Rack, ours: str) -> None:
    where = f"{ADDRESS}:{rack.emulator.port}"
    for executable in (PEER_NAME, ours):
        rack.turn("on")
        outcome = Caller(executable, rack.emulator)("status", ip=where, ipport=None)
        assert (outcome.exit_code, outcome.stdout) == (0, "Status: ON\n")


def test_of_several_systems_none_is_chosen_and_the_peer_takes_the_last(
    crowd: Rack, ours: str
) -> None:
    outcome = Caller(ours, crowd.emulator)("off")
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    for system in (NODE, SPARE):
        assert f"{SYSTEMS}/{system['uuid']}" in outcome.stderr
        assert crowd.power(system["uuid"]) == "on"
    assert "systems_uri" in outcome.stderr
    chosen = f"{SYSTEMS}/{NODE['uuid']}"
    assert Caller(ours, crowd.emulator)("off", systems_uri=chosen).exit_code == 0
    assert crowd.power(NODE["uuid"]) == "off"
    assert crowd.power(SPARE["uuid"]) == "on"
    assert Caller(PEER_NAME, crowd.emulator)("off").exit_code == 0
    assert crowd.power(SPARE["uuid"]) == "off"


def test_a_chosen_system_that_is_not_there_is_answered_with_those_that_are(
    crowd: Rack, ours: str
) -> None:
    outcome = Caller(ours, crowd.emulator)("off", systems_uri=f"{SYSTEMS}/nowhere")
    assert outcome.exit_code == 1
    assert f"{SYSTEMS}/{NODE['uuid']}, {SYSTEMS}/{SPARE['uuid']}" in outcome.stderr


def test_the_certificate_is_verified_against_ca_file(rack: Rack, ours: str) -> None:
    call = Caller(ours, rack.emulator)
    refused = call("status", ssl_insecure=None)
    assert refused.exit_code == 1
    assert "is not trusted" in refused.stderr
    assert "ca_file" in refused.stderr
    for trusted in (rack.emulator.certificate, rack.emulator.authority):
        for host in (ADDRESS, "localhost"):
            outcome = call("status", ssl_insecure=None, ca_file=trusted, ip=host)
            assert outcome.exit_code in (0, 2), outcome


def test_success_means_that_no_emulator_of_the_node_lives(
    real: Real, ours: str
) -> None:
    call = Caller(ours, real.emulator)
    for _ in range(5):
        real.turn("on")
        outcome = call("off", FENCER)
        assert real.guest.emulators() == []
        assert (outcome.exit_code, outcome.stdout) == (0, "Success: Powered OFF\n")


def test_after_a_reboot_another_emulator_lives(real: Real, ours: str) -> None:
    real.turn("on")
    (first,) = real.guest.emulators()
    outcome = Caller(ours, real.emulator)("reboot", FENCER)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    (second,) = real.guest.emulators()
    assert first != second


def test_a_cycle_that_is_too_short_to_be_seen_is_not_claimed(
    real: Real, ours: str
) -> None:
    real.turn("on")
    (first,) = real.guest.emulators()
    call = Caller(ours, real.emulator)
    before = len(real.emulator.resets())
    outcome = call("reboot", method="cycle", power_timeout=2)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert "method=onoff" in outcome.stderr
    assert len(real.emulator.resets()) == before + 1
    assert real.guest.emulators() != [first]


def test_an_interrupt_goes_out_once_and_is_no_fencing(real: Real, ours: str) -> None:
    real.turn("on")
    before = len(real.emulator.resets())
    call = Caller(ours, real.emulator)
    assert call("diag").stdout == "Success: Diagnostic interrupt sent\n"
    assert len(real.emulator.resets()) == before + 1
    assert call("diag", FENCER).exit_code == 1
    assert real.power() == "on"


def test_a_bmc_that_hangs_is_left_in_time_and_nothing_is_claimed(
    real: Real, ours: str
) -> None:
    real.turn("on")
    real.guest.freeze()
    try:
        call = Caller(ours, real.emulator)
        outcome = call("off", FENCER, fencing_timeout=20, shell_timeout=2)
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert len(outcome.stderr.splitlines()) == 1
        assert outcome.seconds < 0.6 * 20
        assert real.guest.emulators()
    finally:
        real.guest.thaw()
    assert UUID in str(real.guest.host.virsh("list", "--uuid"))
