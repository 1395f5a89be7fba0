"""Connection URIs and the ones of a migration."""

from __future__ import annotations

import pytest

from vmha.agents.hypervisor import uri


@pytest.mark.parametrize(
    ("text", "driver", "local"),
    [
        ("qemu:///system", "qemu", True),
        ("qemu+unix:///system?socket=/run/x", "qemu", True),
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
    ],
)
def test_the_targets_libvirt(
    local: str, node: str, transport: str, suffix: str, override: str, expected: str
) -> None:
    assert uri.control(local, node, transport, suffix, override) == expected


@pytest.mark.parametrize(
    ("local", "node", "suffix", "override", "expected"),
    [
        ("qemu:///system", "n2", "", "", ""),
        ("qemu:///system", "n2", "-mig", "", "tcp://n2-mig"),
        ("qemu:///system", "n2.site", "-mig", "", "tcp://n2-mig.site"),
        ("xen:///system", "n2", "-mig", "", "n2-mig"),
        ("qemu:///system", "n2", "", "tcp://%n-x:49152", "tcp://n2-x:49152"),
        ("qemu:///system", "n2", "-mig", "tcp://%n", "tcp://n2-mig"),
    ],
)
def test_the_memorys_own_path(
    local: str, node: str, suffix: str, override: str, expected: str
) -> None:
    assert uri.data(local, node, suffix, override) == expected
