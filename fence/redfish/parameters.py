"""The parameters of ``fence_vmha_redfish``: those of fence_redfish."""

from __future__ import annotations

from vmha.agents.protocol.parameters import (
    BOOLEAN,
    INTEGER,
    SELECT,
    STRING,
    Parameter,
)
from vmha.fence.protocol.parameters import ACTION, DEVICE, PORT_MAX, TALK, TIMES

OWN_WAY = "the agent speaks TLS itself and starts no program"


def _accepted_path(text: str) -> str:
    fine = text.startswith("/") and text.isascii() and text.isprintable()
    return "" if fine and " " not in text else "give a path on the BMC, from / on"


def _accepted_file(text: str) -> str:
    return "" if text.startswith("/") else "give the whole path, from / on"


REDFISH = (
    Parameter(
        "ipport",
        INTEGER,
        "TCP port of the BMC",
        default="443",
        minimum=1,
        maximum=PORT_MAX,
        option="-u, --ipport=[port]",
    ),
    Parameter(
        "redfish_uri",
        STRING,
        "Path of the service root",
        default="/redfish/v1",
        check=_accepted_path,
        aliases=("redfish-uri",),
        option="--redfish-uri=[uri]",
    ),
    Parameter(
        "systems_uri",
        STRING,
        "Path of the system to fence",
        "Path of the system to fence, such as /redfish/v1/Systems/1. Not needed where "
        "the BMC has one system; where it has several the agent lists them and "
        "refuses to choose.",
        check=_accepted_path,
        aliases=("systems-uri",),
        option="--systems-uri=[uri]",
    ),
    Parameter(
        "ssl",
        BOOLEAN,
        "Use TLS and verify the certificate",
        "Use TLS and verify the certificate. With 0 everything, the password as well, "
        "goes over the network readable; give ipport, too.",
        default="1",
        option="-z, --ssl",
    ),
    Parameter(
        "ssl_insecure",
        BOOLEAN,
        "Use TLS and take any certificate",
        "Use TLS and take any certificate: whoever answers at the address gets the "
        "password. Prefer ca_file.",
        option="--ssl-insecure",
    ),
    Parameter(
        "ssl_secure",
        BOOLEAN,
        "Use TLS and verify the certificate",
        "Use TLS and verify the certificate, which is the default.",
        option="--ssl-secure",
    ),
    Parameter(
        "ca_file",
        STRING,
        "Certificates to trust",
        "File with the certificates to trust (PEM): the authority that signed the "
        "BMC's, or the BMC's own. It must be on every node that fences. Default: the "
        "system's.",
        check=_accepted_file,
        option="--ca-file=[file]",
    ),
    Parameter(
        "method",
        SELECT,
        "Method to fence",
        "onoff proves the node off before it is turned on. cycle sends one power "
        "cycle, once, and holds only if the BMC has shown the node off twice while it "
        "lasted; else the reboot fails, though it may have happened.",
        default="onoff",
        choices=("onoff", "cycle"),
        option="-m, --method=[method]",
    ),
    Parameter(
        "gnutlscli_path",
        STRING,
        "Not used",
        deprecated=OWN_WAY,
        option="--gnutlscli-path=[path]",
    ),
)

PARAMETERS = (ACTION, *DEVICE, *REDFISH, *TIMES, *TALK)
