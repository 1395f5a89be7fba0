"""``fence_vmha_redfish``: its declaration. The executable calls ``main``."""

from __future__ import annotations

import os
import sys

from vmha.agents.protocol.errors import BadParameter, MissingParameter
from vmha.fence.protocol.agent import POWER_ACTIONS, FenceAgent
from vmha.fence.protocol.options import BadSecret, device_address
from vmha.fence.protocol.parameters import PORT_MAX
from vmha.fence.protocol.run import run
from vmha.fence.redfish.access import PLAIN, UNVERIFIED, VERIFIED, Access
from vmha.fence.redfish.parameters import PARAMETERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.parameters import Values
    from vmha.fence.redfish.power import Bmc

LONGDESC = (
    "Powers a node on and off through its BMC with Redfish, and reports a node off "
    "only after the BMC itself has shown it Off twice in a row (PoweringOff is not "
    "off). Takes the parameters of fence_redfish. Certificates are verified. Called by "
    "Pacemaker, every action ends by itself in 0.6 of fencing_timeout, with one "
    "sentence that says what was seen."
)


def main() -> int:
    """Carry out the call that this process was started for."""
    return run(AGENT, sys.argv, os.environ)


def host_and_port(values: Values) -> tuple[str, int]:
    """Return where the BMC is; as with fence_redfish, ip may be ``host:port``."""
    where = device_address(values)
    host, colon, port = where.partition(":")
    if not colon or ":" in port:  # a name, or an IPv6 address
        return where, values.number("ipport")
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= PORT_MAX):
        raise BadParameter("ip", where, "give a name or an address, and ipport")
    return host, int(port)


def check(values: Values) -> None:
    """Raise BadParameter for what the declarations cannot say."""
    host_and_port(values)
    user = values.text("username")
    if not user:
        raise MissingParameter("username", "Redfish has no login without a user")
    if not user.isprintable():
        raise BadParameter("username", user, "give printable characters in UTF-8")
    if values.text("ca_file") and security(values) != VERIFIED:
        accepted = "leave it out, or take ssl_insecure and ssl=0 away: nothing is "
        raise BadParameter("ca_file", values.text("ca_file"), accepted + "verified so")


def security(values: Values) -> str:
    """Return how far the certificate is trusted."""
    if values.flag("ssl_insecure"):
        return UNVERIFIED
    if values.flag("ssl") or values.flag("ssl_secure"):
        return VERIFIED
    return PLAIN


def connect(values: Values, password: bytes) -> Bmc:
    """Make the device. What it needs costs 40 ms that metadata does not pay."""
    from vmha.fence.redfish.channel import Channel
    from vmha.fence.redfish.client import Client
    from vmha.fence.redfish.power import Bmc

    try:
        secret = password.decode()
    except UnicodeDecodeError as error:
        raise BadSecret("password", "Redfish takes text in UTF-8 only") from error
    access = Access(
        *host_and_port(values),
        values.text("username"),
        secret,
        security(values),
        values.text("ca_file"),
        values.text("redfish_uri"),
        values.text("systems_uri"),
    )
    login_s, answer_s = values.number("login_timeout"), values.number("shell_timeout")
    client = Client(access, Channel(access), login_s, answer_s)
    return Bmc(client, values.number("power_wait"))


AGENT = FenceAgent(
    "fence_vmha_redfish",
    "Fence agent for Redfish that proves power off",
    LONGDESC,
    PARAMETERS,
    POWER_ACTIONS,
    check,
    device_address,
    connect,
)
