"""The parameters of ``fence_vmha_ipmi``: those of fence_ipmilan, with safe defaults."""

from __future__ import annotations

from vmha.agents.protocol.parameters import (
    BOOLEAN,
    INTEGER,
    SELECT,
    STRING,
    Parameter,
)
from vmha.fence.protocol.parameters import ACTION, DEVICE, PORT_MAX, TALK, TIMES

OWN_WAY = "the agent speaks IPMI itself and starts no program"

IPMI = (
    Parameter(
        "ipport",
        INTEGER,
        "UDP port of the BMC",
        default="623",
        minimum=1,
        maximum=PORT_MAX,
        option="-u, --ipport=[port]",
    ),
    Parameter(
        "cipher",
        SELECT,
        "Cipher suite",
        "Cipher suite of IPMI 2.0: 17 (SHA-256) or 3 (SHA-1), both with AES. auto "
        "takes 17 and falls back to 3. Weaker suites are not used.",
        default="auto",
        choices=("auto", "3", "17"),
        option="-C, --cipher=[cipher]",
    ),
    Parameter(
        "privlvl",
        SELECT,
        "Privilege level to log in with",
        "Privilege level to log in with. Without it administrator is tried, then "
        "operator, which is enough to fence.",
        choices=("callback", "user", "operator", "administrator"),
        option="-L, --privlvl=[level]",
    ),
    Parameter(
        "hexadecimal_kg",
        STRING,
        "Key Kg of the BMC, in hexadecimal",
        option="--hexadecimal-kg=[key]",
    ),
    Parameter(
        "method",
        SELECT,
        "Method to fence",
        "Method to fence: onoff proves the node off before it is turned on. cycle is "
        "refused, because a BMC reports it done without ever showing the node off.",
        default="onoff",
        choices=("onoff", "cycle"),
        option="-m, --method=[method]",
    ),
    Parameter(
        "lanplus",
        BOOLEAN,
        "Not needed",
        deprecated="IPMI 2.0 (RMCP+, lanplus) is always used; IPMI 1.5 is not spoken",
        option="-P, --lanplus",
    ),
    Parameter(
        "auth",
        SELECT,
        "Not used",
        deprecated="it belongs to IPMI 1.5; the cipher suite says how to authenticate",
        choices=("md5", "password", "none"),
        option="-A, --auth=[auth]",
    ),
    Parameter(
        "target",
        STRING,
        "Not supported yet",
        deprecated="requests cannot be bridged to another controller",
        option="--target=[targetaddress]",
    ),
    Parameter(
        "ipmitool_path",
        STRING,
        "Not used",
        deprecated=OWN_WAY,
        option="--ipmitool-path=[path]",
    ),
    Parameter(
        "ipmitool_timeout",
        STRING,
        "Not used",
        deprecated=OWN_WAY + "; see shell_timeout",
        option="--ipmitool-timeout=[timeout]",
    ),
    Parameter(
        "use_sudo",
        BOOLEAN,
        "Not used",
        deprecated=OWN_WAY,
        aliases=("sudo",),
        option="--use-sudo",
    ),
    Parameter(
        "sudo_path",
        STRING,
        "Not used",
        deprecated=OWN_WAY,
        option="--sudo-path=[path]",
    ),
)

PARAMETERS = (ACTION, *DEVICE, *IPMI, *TIMES, *TALK)
