"""The parameters that every power fence agent takes: names and options of fence-agents.

Those that have no meaning in a process that speaks to the device itself are read, so
that a configuration can be taken over by changing one word, and declared deprecated
with what to do instead.
"""

from __future__ import annotations

from vmha.agents.protocol.parameters import (
    BOOLEAN,
    INTEGER,
    SECOND,
    STRING,
    Parameter,
)

PORT_MAX = 65535
SECONDS_MAX = 3600

ACTION = Parameter(
    "action",
    STRING,
    "Fencing action",
    "What to do: on, off, reboot, status, monitor, metadata or validate-all.",
    default="reboot",
    required=True,
    option="-o, --action=[action]",
)

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
        "Login password. On a command line other users could read it: prefer "
        "password_script or standard input.",
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
        "plug",
        STRING,
        "Name or address of the fencing device, with port_as_ip",
        "With port_as_ip, the name or address of the fencing device; without, it is "
        "read and not used.",
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
        "With true, power_timeout does not count and an action may take the time that "
        "Pacemaker gives it. Default: true when the fencer calls, else false.",
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
        "0: no limit of its own.",
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
        "Not used",
        deprecated="the progress is in the system's log, and on stderr with verbose",
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
