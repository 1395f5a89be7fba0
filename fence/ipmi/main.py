"""``fence_vmha_ipmi``: the declaration of the agent. The executable calls ``main``."""

from __future__ import annotations

import os
import sys

from vmha.agents.protocol.errors import BadParameter, MissingParameter
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.parameters import PARAMETERS
from vmha.fence.protocol import hosts
from vmha.fence.protocol.agent import POWER_ACTIONS, FenceAgent
from vmha.fence.protocol.options import BadSecret, device_address
from vmha.fence.protocol.run import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.protocol.parameters import Values
    from vmha.fence.ipmi.power import Bmc

# IPMI 2.0, tables 22-28 and 22-30, and 13.33 for Kg.
USERNAME_BYTES = 16
PASSWORD_BYTES = 20
KEY_BYTES = 20

SUITES = {"auto": (17, 3), "17": (17,), "3": (3,)}

LONGDESC = (
    "Powers a node on and off through its BMC with IPMI 2.0 (RMCP+), and reports a "
    "node off only after the BMC itself has shown it off twice in a row. Takes the "
    "parameters of fence_ipmilan. Called by Pacemaker, every action ends by itself in "
    "0.6 of fencing_timeout, with one sentence that says what was seen."
)


def main() -> int:
    """Carry out the call that this process was started for."""
    return run(AGENT, sys.argv, os.environ)


def address(values: Values) -> str:
    """Return the name or address of the BMC; raises BadParameter without one."""
    several = hosts_of(values)
    if several and not values.text("plug"):
        known = ", ".join(sorted(several))
        raise MissingParameter("plug", f"say which of the hosts is meant: {known}")
    if several:
        return hosts.address_of(values.text("plug"), several)
    return device_address(values)


def hosts_of(values: Values) -> Mapping[str, str]:
    """Return the nodes and their BMCs, if there are several."""
    return hosts.read(values.text(hosts.NAME))


def check(values: Values) -> None:
    """Raise BadParameter for what the declarations cannot say."""
    several = hosts_of(values)
    if not several:
        address(values)
    for other in ("ip", "fallback_ip") if several else ():
        if values.text(other):
            accepted = "leave it out: the addresses are in hosts"
            raise BadParameter(other, values.text(other), accepted)
    if values.flag("port_as_ip") and values.text("fallback_ip"):
        accepted = (
            "with port_as_ip every node has another BMC: use hosts, or one device"
        )
        raise BadParameter("fallback_ip", values.text("fallback_ip"), accepted)
    if len(_bytes(values.text("username"))) > USERNAME_BYTES:
        accepted = f"IPMI has user names of at most {USERNAME_BYTES} bytes"
        raise BadParameter("username", values.text("username"), accepted)
    if len(_bytes(values.text("password"))) > PASSWORD_BYTES:
        raise BadSecret("password", f"IPMI 2.0 has at most {PASSWORD_BYTES} bytes")
    _key(values)


def paths(values: Values) -> int:
    """Return how many ways there are to the BMC."""
    return 2 if values.text("fallback_ip") else 1


def connect(values: Values, password: bytes) -> Bmc:
    """Make the device. pyghmi is imported here: 50 ms that metadata does not pay."""
    from vmha.fence.ipmi.power import Bmc

    if len(password) > PASSWORD_BYTES:
        accepted = f"it gives more than the {PASSWORD_BYTES} bytes of IPMI 2.0"
        source = "password_file" if values.text("password_file") else "password_script"
        raise BadSecret(source, accepted)
    access = Access(
        address(values),
        values.number("ipport"),
        _bytes(values.text("username")),
        password,
        SUITES[values.text("cipher")],
        values.text("privlvl") or None,
        _key(values),
        fallback=values.text("fallback_ip") or None,
        target=int(values.text("target"), 0) if values.text("target") else None,
    )
    return Bmc(
        access,
        values.number("login_timeout"),
        values.number("shell_timeout"),
        values.number("power_wait"),
    )


def _key(values: Values) -> bytes | None:
    text = values.text("hexadecimal_kg").removeprefix("0x")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = bytes(KEY_BYTES + 1)
    if len(key) > KEY_BYTES:
        accepted = f"give an even number of at most {2 * KEY_BYTES} hexadecimal digits"
        raise BadSecret("hexadecimal_kg", accepted)
    return key or None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


AGENT = FenceAgent(
    "fence_vmha_ipmi",
    "Fence agent for IPMI 2.0 that proves power off",
    LONGDESC,
    PARAMETERS,
    POWER_ACTIONS,
    check,
    address,
    connect,
    hosts_of,
    paths,
)
