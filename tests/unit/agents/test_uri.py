"""Connection URIs and the ones of a migration."""

from __future__ import annotations

import pytest

from vmha.agents.hypervisor import uri
from vmha.agents.protocol.errors import BadParameter


@pytest.mark.parametrize(
    ("text", "driver", "local"),
    [
        ("qemu:///system", "qemu", True),
        ("qemu+unix:///system?socket=/run/x", "qemu", True),
        ("qemu+unix:///system?mode=direct", "qemu", True),
        ("qemu+tcp://node2/system", "qemu", False),
        ("lxc:///system", "lxc", True),
        ("esx://host/?no_verify=1", "esx", False),
        ("test:///default", "test", True),
        ("nonsense", "", False),
        ("nonsense:///system", "", False),
        ("qemu:/system", "", False),
        ("://", "", False),
        ("", "", False),
    ],
)
def test_what_a_uri_means_here(text: str, driver: str, local: bool) -> None:
    assert uri.driver(text) == driver
    assert uri.is_local(text) is local


@pytest.mark.parametrize(
    ("local", "node", "transport", "suffix", "override", "expected"),
    [
        ("qemu:///system", "n2", "", "", "", "qemu://n2/system"),
        ("qemu:///system", "n2", "tcp", "", "", "qemu+tcp://n2/system"),
        ("qemu:///system", "n2", "ssh", "-mig", "", "qemu+ssh://n2-mig/system"),
        ("qemu:///system", "n2.site", "", "-mig", "", "qemu://n2-mig.site/system"),
        ("qemu+unix:///system?socket=/x", "n2", "tcp", "", "", "qemu+tcp://n2/system"),
        ("qemu:///system", "fd00::2", "tls", "", "", "qemu+tls://[fd00::2]/system"),
        ("xen:///system", "n2", "ssh", "", "", "xen+ssh://n2/system"),
        ("qemu:///system", "n2", "tcp", "-m", "qemu+ssh://a@%n/x", "qemu+ssh://a@n2/x"),
        (
            "qemu:///system",
            "fd00::2",
            "",
            "",
            "qemu+tcp://%n/x",
            "qemu+tcp://[fd00::2]/x",
        ),
        (
            "qemu:///system",
            "fd00::2",
            "",
            "",
            "qemu+tcp://[%n]/",
            "qemu+tcp://[fd00::2]/",
        ),
        ("qemu:///system", "n2", "", "", "qemu+tcp://[%n]:1/", "qemu+tcp://n2:1/"),
    ],
)
def test_the_targets_libvirt(
    local: str, node: str, transport: str, suffix: str, override: str, expected: str
) -> None:
    assert uri.control(local, node, transport, suffix, override) == expected


@pytest.mark.parametrize(
    ("local", "node", "suffix", "override", "port", "expected"),
    [
        ("qemu:///system", "n2", "", "", 0, ""),
        ("qemu:///system", "n2", "-mig", "", 0, "tcp://n2-mig"),
        ("qemu:///system", "n2.site", "-mig", "", 0, "tcp://n2-mig.site"),
        ("xen:///system", "n2", "-mig", "", 0, "n2-mig"),
        ("qemu:///system", "n2", "", "tcp://%n-x:49152", 0, "tcp://n2-x:49152"),
        ("qemu:///system", "n2", "-mig", "tcp://%n", 0, "tcp://n2-mig"),
        ("qemu:///system", "n2", "", "", 49200, "tcp://n2:49200"),
        ("qemu:///system", "fd00::2", "", "", 49200, "tcp://[fd00::2]:49200"),
        ("qemu:///system", "fd00::2", "", "tcp://%n", 49200, "tcp://[fd00::2]"),
        ("xen:///system", "n2", "-mig", "", 8002, "n2-mig:8002"),
    ],
)
def test_the_memorys_own_path(
    local: str, node: str, suffix: str, override: str, port: int, expected: str
) -> None:
    assert uri.data(local, node, suffix, override, port) == expected


def test_the_users_name_stands_in_the_targets_uri() -> None:
    made = uri.control("qemu:///system", "fd00::2", "ssh", "", "", "admin")
    assert made == "qemu+ssh://admin@[fd00::2]/system"


@pytest.mark.parametrize("address", ["fd00::2", "10.1.2.3"])
def test_an_address_takes_no_suffix(address: str) -> None:
    with pytest.raises(BadParameter, match="remoteuri"):
        uri.with_suffix(address, "-mig")
