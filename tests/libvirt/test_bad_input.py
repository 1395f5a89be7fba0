"""Bad input: the right exit code, one sentence that names it, nothing touched."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from hosts import guests
from hosts.host import Host
from hosts.operation import Answer
from lab.guest import Guest

Fresh = Callable[..., Guest]


def refused(answer: Answer, code: int, *named: str) -> bool:
    one = len(answer.reasons) == 1 and all(word in answer.reason for word in named)
    return answer.code == code and one and answer.seconds < 10


def test_a_missing_file_is_5_and_a_broken_one_2(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest)
    path = guests.config_path(guest)
    alpha.path(path).write_text("<domain><name>x</name>")
    assert refused(resource.call(alpha, "start"), 2, path, "XML")
    alpha.path(path).write_text("<network><name>x</name></network>")
    assert refused(resource.call(alpha, "start"), 2, path, "<domain>")
    alpha.path(path).write_bytes(b"\xff\xfe\x00")
    assert refused(resource.call(alpha, "start"), 5, path, "UTF-8")
    alpha.path(path).unlink()
    assert refused(resource.call(alpha, "start"), 5, path, "No such file")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("migration_speed", "fast"),
        ("migration_downtime", "-1"),
        ("force_stop", "perhaps"),
        ("shutdown_mode", "politely"),
        ("hypervisor", "nonsense"),
        ("monitor_scripts", "relative"),
        ("config", "relative.xml"),
    ],
)
def test_a_bad_parameter_is_6_at_start_and_validation(
    alpha: Host, agent: Path, fresh: Fresh, name: str, value: str
) -> None:
    guest = fresh()
    resource = guests.resource(agent, guest).but(**{name: value})

    for action in ("start", "validate-all"):
        assert refused(resource.call(alpha, action), 6, name, value)
    assert alpha.emulators(guest.uuid) == []


def test_what_libvirt_refuses_is_told_in_its_words(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    nonsense = guest.xml().replace("machine='pc'", "machine='steam'")
    guests.put_config(alpha, guest, nonsense)

    started = guests.resource(agent, guest).call(alpha, "start")

    assert refused(started, 1, "libvirt says", "steam")


def test_a_hypervisor_without_a_driver_is_5(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    resource = guests.resource(agent, fresh(), hypervisor="vbox:///session")

    started = resource.call(alpha, "start", timeout_s=8)

    assert started.code != 0
    assert len(started.reasons) == 1
    assert "vbox" in started.reason


def test_validation_looks_at_the_node_from_level_10_only(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    alpha.path(guests.config_path(guest)).unlink()
    resource = guests.resource(agent, guest)

    assert resource.call(alpha, "validate-all").code == 0
    leveled = resource.leveled(10)
    assert refused(leveled.call(alpha, "validate-all"), 5, guests.config_path(guest))
    guests.put_config(alpha, guest)
    assert leveled.call(alpha, "validate-all").code == 0


@pytest.mark.parametrize("action", ["promote", "demote", "notify", "explode", ""])
def test_an_unknown_action_is_3(
    alpha: Host, agent: Path, fresh: Fresh, action: str
) -> None:
    assert guests.resource(agent, fresh()).call(alpha, action).code == 3


def test_monitor_scripts_decide_over_the_recurring_monitor(
    alpha: Host, agent: Path, fresh: Fresh
) -> None:
    guest = fresh()
    scripts = {"good": "exit 0", "bad": "echo the database sulks >&2; exit 3"}
    scripts["hanging"] = "exec sleep 600"
    for name, text in scripts.items():
        path = alpha.path(f"/run/guests/{name}")
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    resource = guests.resource(agent, guest)
    assert resource.call(alpha, "start").code == 0

    def monitor(names: str, interval_s: float = 10) -> Answer:
        changed = resource.but(monitor_scripts=names)
        return changed.call(alpha, "monitor", timeout_s=6, interval_s=interval_s)

    assert monitor("/run/guests/good /run/guests/good").code == 0
    assert refused(
        monitor("/run/guests/good /run/guests/bad"), 1, "/run/guests/bad", "3", "sulks"
    )
    assert refused(monitor("/run/guests/none"), 1, "/run/guests/none")
    hanging = monitor("/run/guests/hanging")
    assert (hanging.code, hanging.killed) == (1, False)
    assert "/run/guests/hanging" in hanging.reason
    assert monitor("/run/guests/bad", interval_s=0).code == 0, "a probe only looks"
    assert not [argv for _, argv in alpha.processes() if argv[:2] == ["sleep", "600"]]
