"""The parameters that every power fence agent takes: names and options of fence-agents.

Those that have no meaning in a process that speaks to the device itself are read, so
that a configuration can be taken over by changing one word, and declared deprecated
with what to do instead.
"""

from __future__ import annotations

from vmha.agents.protocol.parameters import (
    BOOLEAN,
    INTEGER,
    NO,
    SECOND,
    STRING,
    YES,
    Parameter,
)

PORT_MAX = 65535
SECONDS_MAX = 3600

ACTION = Parameter(
    "action",
    STRING,
    "Fencing action",
    "What to do: on, off, reboot, status, monitor, diag (a diagnostic interrupt, NMI; "
    "called by Pacemaker it never counts as fenced), metadata or validate-all.",
    default="reboot",
    required=True,
    option="-o, --action=[action]",
)


def _accepted_path(text: str) -> str:
    return "" if text.startswith("/") else "give the whole path, from / on"


def _accepted_flag(text: str) -> str:
    return "" if text.lower() in YES + NO else "give true or false"


DEVICE = (
    Parameter(
        "ip",
        STRING,
        "Name or address of the fencing device",
        aliases=("ipaddr",),
        option="-a, --ip=[ip]",
    ),
    Parameter(
        "username",
        STRING,
        "Login name",
        aliases=("login",),
        option="-l, --username=[name]",
    ),
    Parameter(
        "password",
        STRING,
        "Login password",
        "Login password. On a command line other users could read it, and in the "
        "cluster's configuration everybody who may read that: prefer password_file, "
        "password_script or Pacemaker's own secrets.",
        aliases=("passwd",),
        option="-p, --password=[password]",
    ),
    Parameter(
        "password_script",
        STRING,
        "Program whose output is the password",
        "Program that prints the password, with its arguments. It is started directly, "
        "without a shell.",
        aliases=("passwd_script",),
        option="-S, --password-script=[script]",
    ),
    Parameter(
        "password_file",
        STRING,
        "File whose first line is the password",
        "File whose first line is the password. Only its owner may be able to read "
        "it, and it must be on every node that fences. Counts before password_script "
        "and password.",
        check=_accepted_path,
        option="--password-file=[file]",
    ),
    Parameter(
        "plug",
        STRING,
        "The node, with hosts; the fencing device, with port_as_ip",
        "With hosts, the node that is meant. With port_as_ip, the name or address of "
        "the fencing device. Else it is read and not used.",
        aliases=("port",),
        option="-n, --plug=[ip]",
    ),
    Parameter(
        "port_as_ip",
        BOOLEAN,
        "Take the device's address from plug",
        "Take the name or address of the device from plug, which Pacemaker fills from "
        "pcmk_host_map.",
        option="--port-as-ip",
    ),
)

TIMES = (
    Parameter(
        "fencing_timeout",
        SECOND,
        "Seconds that Pacemaker gives a fencing action",
        "Seconds that Pacemaker gives a fencing action: stonith-timeout (60 by "
        "default), or pcmk_off_timeout and its siblings where they are smaller. The "
        "fencer does not tell it. Called by the fencer, every action ends within 0.6 "
        "of it, and status and monitor within 12 s, so that the second try and the "
        "next device still have their turn.",
        default="60",
        minimum=10,
        maximum=SECONDS_MAX,
        option="--fencing-timeout=[seconds]",
    ),
    Parameter(
        "delay",
        SECOND,
        "Seconds to wait before off and reboot",
        "Seconds to wait before off and reboot, counted from the start of the agent.",
        default="0",
        minimum=0,
        maximum=SECONDS_MAX,
        option="--delay=[seconds]",
    ),
    Parameter(
        "disable_timeout",
        STRING,
        "Leave out power_timeout",
        "With true, power_timeout does not count, and an action may take 0.6 of "
        "fencing_timeout. Default: true when the fencer calls, else false.",
        check=_accepted_flag,
        option="--disable-timeout=[true/false]",
    ),
    Parameter(
        "login_timeout",
        SECOND,
        "Seconds for one login",
        "Seconds for one login to the device. One that stays silent so long before "
        "anything was sent to it fails at once, so that another device gets its turn.",
        default="5",
        minimum=1,
        maximum=SECONDS_MAX,
        option="--login-timeout=[seconds]",
    ),
    Parameter(
        "shell_timeout",
        SECOND,
        "Seconds for one answer",
        "Seconds for one answer of the device; after that it is logged in to again.",
        default="3",
        minimum=1,
        maximum=SECONDS_MAX,
        option="--shell-timeout=[seconds]",
    ),
    Parameter(
        "power_timeout",
        SECOND,
        "Seconds from an order to its proof",
        "Seconds from the first order until the device must show the new state. "
        "0: no limit but 0.6 of fencing_timeout.",
        default="20",
        minimum=0,
        maximum=SECONDS_MAX,
        option="--power-timeout=[seconds]",
    ),
    Parameter(
        "power_wait",
        SECOND,
        "Seconds to leave the device alone after an order",
        "Seconds to leave the device alone after an order, before its state is read. "
        "Not needed for the proof.",
        default="0",
        minimum=0,
        maximum=SECONDS_MAX,
        option="--power-wait=[seconds]",
    ),
    Parameter(
        "softoff_detect",
        SECOND,
        "Seconds after which an off is taken for a shutdown",
        "An off that took at least these seconds is noted in the log: the node's power "
        "button then asks the system instead of cutting the power, and a system that "
        "hangs does not answer. 0: not noted.",
        default="4",
        minimum=0,
        maximum=SECONDS_MAX,
        option="--softoff-detect=[seconds]",
    ),
    Parameter(
        "retry_on",
        INTEGER,
        "How often a power on is repeated",
        default="1",
        minimum=0,
        maximum=100,
        option="--retry-on=[attempts]",
    ),
    Parameter(
        "stonith_status_sleep",
        SECOND,
        "Not used",
        deprecated="the state is read each 0.1 s at first, then each second",
        option="--stonith-status-sleep=[seconds]",
    ),
)

TALK = (
    Parameter(
        "quiet",
        BOOLEAN,
        "Nothing on stderr",
        "Write nothing to stderr; the log is not affected.",
        option="-q, --quiet",
    ),
    Parameter(
        "verbose",
        BOOLEAN,
        "Tell the progress on stderr",
        option="-v, --verbose",
    ),
    Parameter(
        "verbose_level",
        INTEGER,
        "Tell the progress on stderr, if at least 1",
        option="--verbose-level=[level]",
    ),
    Parameter(
        "debug_file",
        STRING,
        "File to which the progress is added",
        "File to which the progress is added, line by line, with its time. It is made "
        "for root alone, and no secret comes into it. Give its whole path.",
        aliases=("debug",),
        option="-D, --debug-file=[debugfile]",
    ),
    Parameter(
        "version",
        BOOLEAN,
        "Print the version and leave",
        option="-V, --version",
    ),
    Parameter("help", BOOLEAN, "Print help and leave", option="-h, --help"),
    Parameter(
        "plug_separator",
        STRING,
        "Separator of several plugs",
        "Separator of several plugs. A BMC has one node, so more than one plug is "
        "refused.",
        default=",",
        option="--plug-separator=[char]",
    ),
)
