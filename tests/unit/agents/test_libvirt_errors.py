"""libvirt's errors: what each says about a guest, and above all what it does not say.

Codes, domains and texts are those of real answers: libvirtd down, restarting, refusing,
without the driver, and the modular daemons' sockets.
"""

from __future__ import annotations

import libvirt
import pytest

from vmha.agents.hypervisor.errors import (
    Absent,
    Unsupported,
    open_failure,
    translated,
)
from vmha.agents.protocol.errors import (
    AgentError,
    NotInstalled,
    PermissionRefused,
    Refused,
    Unreachable,
)

QEMU, LXC, RPC = libvirt.VIR_FROM_QEMU, libvirt.VIR_FROM_LXC, libvirt.VIR_FROM_RPC
NONE, DOM, REMOTE = libvirt.VIR_FROM_NONE, libvirt.VIR_FROM_DOM, libvirt.VIR_FROM_REMOTE


def raised(code: int, domain: int, message: str = "") -> libvirt.libvirtError:
    error = libvirt.libvirtError(message)
    error.err = (code, domain, message, 2, "", "", "", 0, 0)
    return error


@pytest.mark.parametrize(
    ("code", "domain", "meaning"),
    [
        (libvirt.VIR_ERR_NO_DOMAIN, QEMU, Absent),
        (libvirt.VIR_ERR_NO_DOMAIN, LXC, Absent),
        (libvirt.VIR_ERR_NO_SUPPORT, DOM, Unsupported),
        (libvirt.VIR_ERR_OPERATION_UNSUPPORTED, QEMU, Unsupported),
        (libvirt.VIR_ERR_ARGUMENT_UNSUPPORTED, QEMU, Unsupported),
        (libvirt.VIR_ERR_SYSTEM_ERROR, RPC, Unreachable),
        (libvirt.VIR_ERR_INTERNAL_ERROR, RPC, Unreachable),
        (libvirt.VIR_ERR_INTERNAL_ERROR, REMOTE, Unreachable),
        (libvirt.VIR_ERR_RPC, RPC, Unreachable),
        (libvirt.VIR_ERR_INVALID_CONN, NONE, Unreachable),
        (libvirt.VIR_ERR_ACCESS_DENIED, QEMU, PermissionRefused),
        (libvirt.VIR_ERR_OPERATION_DENIED, QEMU, PermissionRefused),
        (libvirt.VIR_ERR_OPERATION_TIMEOUT, QEMU, Refused),
        (libvirt.VIR_ERR_OPERATION_INVALID, QEMU, Refused),
        (libvirt.VIR_ERR_INTERNAL_ERROR, QEMU, Refused),
        (libvirt.VIR_ERR_AGENT_UNRESPONSIVE, QEMU, Refused),
    ],
)
def test_an_answer_means_what_it_says_and_no_more(
    code: int, domain: int, meaning: type[AgentError]
) -> None:
    assert type(translated(raised(code, domain), "could not look")) is meaning


def test_nothing_but_no_domain_says_that_a_guest_is_not_there() -> None:
    codes = [
        number
        for name, number in vars(libvirt).items()
        if name.startswith("VIR_ERR_") and isinstance(number, int)
    ]
    kinds = (libvirt.VIR_ERR_NO_NETWORK, libvirt.VIR_ERR_NO_STORAGE_POOL)
    for code in set(codes) - {libvirt.VIR_ERR_NO_DOMAIN, *kinds}:
        for domain in (QEMU, LXC, RPC, NONE):
            assert not isinstance(translated(raised(code, domain), ""), Absent)


@pytest.mark.parametrize(
    ("code", "domain", "text", "meaning"),
    [
        (38, RPC, "Failed to connect socket to 'virtqemud-sock'", Unreachable),
        (38, RPC, "Failed to connect socket to 'virtlxcd-sock'", Unreachable),
        (38, RPC, "unable to connect to server: Connection refused", Unreachable),
        (5, NONE, "no connection driver available for xen:///system", NotInstalled),
        (5, RPC, "the connection is gone", Unreachable),
        (libvirt.VIR_ERR_AUTH_FAILED, RPC, "authentication failed", PermissionRefused),
        (1, LXC, "internal error: Unexpected LXC URI path", Unreachable),
    ],
)
def test_a_connection_that_fails_says_why(
    code: int, domain: int, text: str, meaning: type[AgentError]
) -> None:
    failure = open_failure(raised(code, domain, text), "x:///system")
    assert type(failure) is meaning
    assert text in str(failure)
