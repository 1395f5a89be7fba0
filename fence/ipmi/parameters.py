"""The parameters of ``fence_vmha_ipmi``: those of fence_ipmilan, with safe defaults."""

from __future__ import annotations

from vmha.agents.protocol.parameters import (
    BOOLEAN,
    INTEGER,
    SELECT,
    STRING,
    Parameter,
)
from vmha.fence.protocol import hosts
from vmha.fence.protocol.parameters import ACTION, DEVICE, PORT_MAX, TALK, TIMES

TARGET_MAX = 0xFE  # IPMB addresses are even, IPMB 1.0, 2.1


def _accepted_target(text: str) -> str:
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    fine = 0 < address <= TARGET_MAX and address % 2 == 0
    return "" if fine else "give an even address from 0x02 to 0xfe, such as 0x82"


OWN_WAY = "the agent speaks IPMI itself and starts no program"

IPMI = (
    Parameter(
        hosts.NAME,
        STRING,
        "The nodes and their BMCs, if there are several",
        "Pairs such as node1=10.0.0.11 node2=10.0.0.12, for one device that fences "
        "several nodes with the same login. The name is what Pacemaker calls the node, "
        "which comes in plug. list and list-status show them: with pcmk_host_check="
        "dynamic-list Pacemaker asks for them, and pcmk_host_list is not needed. "
        "monitor proves each of them.",
        check=hosts.accepted,
        option="--hosts=[name=address ...]",
    ),
    Parameter(
        "fallback_ip",
        STRING,
        "Second name or address of the same BMC",
        "Second name or address of the same BMC, over another network. It is tried "
        "when ip does not answer, within the same time. A BMC that is another one, by "
        "its GUID, is refused.",
        option="--fallback-ip=[ip]",
    ),
    Parameter(
        "target",
        STRING,
        "Address of a controller behind the BMC",
        "IPMB address of the controller behind the BMC to which requests are bridged, "
        "such as 0x82, for chassis in which one BMC speaks for several nodes.",
        check=_accepted_target,
        option="--target=[targetaddress]",
    ),
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
        "Method to fence: onoff proves the node off before it is turned on. cycle "
        "sends one power cycle, once, and holds only if the BMC has shown the node off "
        "twice while it lasted; else the reboot fails, though it may have happened.",
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
