"""What a monitor looks at, and what it makes of it."""

from __future__ import annotations

from vmha.agents.protocol.parameters import INTEGER, SELECT, STRING, Parameter
from vmha.agents.vm.declared.checks import script_list

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "monitor_scripts",
        STRING,
        "Programs that must succeed for the guest to count as healthy",
        "Absolute paths of programs, separated by spaces, that a recurring monitor "
        "runs one after the other once the guest is seen running. If one of them ends "
        "with another code than 0 the monitor fails, and Pacemaker restarts the guest. "
        "See monitor_script_timeout for their time. They run at check level 20, and in "
        "a monitor without a level, and find the guest's name, UUID and connection in "
        "VMHA_GUEST_NAME, VMHA_GUEST_UUID and VMHA_URI.",
        reloadable=True,
        check=script_list,
    ),
    Parameter(
        "paused_policy",
        SELECT,
        "What a pause by an administrator means",
        "What a monitor makes of a guest that somebody has paused (virsh suspend). "
        "fail: the monitor fails and Pacemaker restarts the guest. degraded: "
        "Pacemaker shows it and leaves the guest alone. ok: it counts as running; a "
        "pause of which libvirt does not know the reason is then degraded.",
        choices=("ok", "degraded", "fail"),
        default="ok",
        reloadable=True,
    ),
    Parameter(
        "io_error_policy",
        SELECT,
        "What a pause by a disk I/O error means",
        "What a monitor makes of a guest that its hypervisor has paused because a "
        "disk gave an I/O error other than a lack of space. fail: the monitor fails "
        "and Pacemaker restarts the guest. degraded: Pacemaker shows it and leaves "
        "the guest alone. ok: it counts as running.",
        choices=("ok", "degraded", "fail"),
        default="fail",
        reloadable=True,
    ),
    Parameter(
        "no_space_policy",
        SELECT,
        "What a pause for lack of disk space means",
        "What a monitor makes of a guest that its hypervisor has paused because the "
        "storage below a disk is full. A restart gives no space: make some, then "
        "virsh resume. fail: the monitor fails and Pacemaker restarts the guest. "
        "degraded: Pacemaker shows it and leaves the guest alone. ok: it counts as "
        "running.",
        choices=("ok", "degraded", "fail"),
        default="degraded",
        reloadable=True,
    ),
    Parameter(
        "panic_policy",
        SELECT,
        "What a crashed or panicked guest means",
        "What a monitor makes of a guest that has crashed, has panicked or was "
        "paused by its watchdog, and that libvirt keeps (on_crash=preserve). fail: "
        "the monitor fails and Pacemaker restarts the guest. degraded: Pacemaker "
        "shows it and leaves the guest alone. ok: it counts as running.",
        choices=("ok", "degraded", "fail"),
        default="fail",
        reloadable=True,
    ),
    Parameter(
        "suspended_policy",
        SELECT,
        "What a guest in suspend-to-RAM means",
        "What a monitor makes of a guest that its own power management has "
        "suspended. fail: the monitor fails and Pacemaker restarts the guest. "
        "degraded: Pacemaker shows it and leaves the guest alone. ok: it counts as "
        "running.",
        choices=("ok", "degraded", "fail"),
        default="fail",
        reloadable=True,
    ),
    Parameter(
        "guest_agent",
        SELECT,
        "Whether the guest agent must answer",
        "From check level 10 on the guest agent is asked for an answer. auto: only "
        "where the definition has its channel and it has answered since the guest "
        "runs here. required: without an answer for hang_timeout seconds the monitor "
        "fails; a missing channel is only shown as degraded. ignore: it is not "
        "asked, and hangs are not seen.",
        choices=("auto", "required", "ignore"),
        default="auto",
        reloadable=True,
    ),
    Parameter(
        "agent_timeout",
        INTEGER,
        "How long the guest agent may take, in s",
        "Seconds that a guest agent has for its answer to a check.",
        default="5",
        minimum=1,
        maximum=300,
        reloadable=True,
    ),
    Parameter(
        "hang_timeout",
        INTEGER,
        "How long a guest may show no life before it counts as hung, in s",
        "From check level 10 on: a guest whose agent has answered before and is "
        "silent now, and whose disks and network cards have moved nothing, for as "
        "many seconds, counts as hung, unless its vCPUs do some work. A libvirt job "
        "that stands still for as long is degraded. 0 turns hangs off.",
        default="120",
        minimum=0,
        maximum=86400,
        reloadable=True,
    ),
    Parameter(
        "hang_policy",
        SELECT,
        "What a hung guest means",
        "What a monitor of check level 10 makes of a guest that counts as hung. "
        "fail: the monitor fails and Pacemaker restarts the guest. degraded: "
        "Pacemaker shows it and leaves the guest alone. ok: it counts as running.",
        choices=("ok", "degraded", "fail"),
        default="degraded",
        reloadable=True,
    ),
    Parameter(
        "monitor_script_timeout",
        INTEGER,
        "How long a single monitor script may take, in s",
        "Seconds that each of the monitor_scripts has. 0: the monitor's own time, "
        "shared by all.",
        default="0",
        minimum=0,
        maximum=3600,
        reloadable=True,
    ),
)
