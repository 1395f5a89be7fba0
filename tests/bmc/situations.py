"""The situations of ``test_scenes``: BMCs that refuse, stumble, lie, restart, vanish.

A row is one call of the real agent: the scene, and how it must end. ``DANGERS`` are
those in which fence_ipmilan is unsafe or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from bmc.plan import Plan
from bmc.proxy import TO_AGENT, TO_BMC, Trouble
from bmc.scenes import ALWAYS, FENCER, QUIET, SHORT, Scene

POWERED_OFF, ALREADY_OFF = "Success: Powered OFF\n", "Success: Already OFF\n"
REBOOTED = "Success: Rebooted\n"
STATUS_ON = "Status: ON\n"
CYCLE = {"method": "cycle"}
FENCING_S = 10  # the least that fencing_timeout takes
WITHIN_S = 0.6 * FENCING_S
BUDGET = {"fencing_timeout": FENCING_S}
BRIDGED = {"target": "0x72"}


@dataclass(frozen=True)
class Row:
    """A scene and how it must end; ``orders`` None: any."""

    scene: Scene
    stdout: str = ""
    orders: tuple[str, ...] | None = ()
    words: tuple[str, ...] = ()
    exit_code: int | None = None
    within_s: float = 30.0

    def code(self) -> int:
        """Return the exit code: given, or that of the sentence on stdout."""
        if self.exit_code is not None:
            return self.exit_code
        return 0 if self.stdout else 1

    @property
    def every_packet_arrives(self) -> bool:
        """Tell whether neither the network nor the BMC swallows anything."""
        plan = self.scene.plan
        return (self.scene.trouble, plan.fates, plan.answers) == (QUIET, (), None)


def user(action: str, too_low_at: str = "rakp") -> Scene:
    """Call with the account that has USER privilege."""
    return Scene(action, Plan(too_low_at=too_low_at), {**SHORT, "username": "user"})


def coded(action: str, **codes: tuple[int, ...]) -> Scene:
    return Scene(action, Plan(codes=dict(codes)))


LOGIN = {
    "suite 17 alone is enough": Row(
        Scene("off", Plan(suites=(17,)), {"cipher": 17}), POWERED_OFF, ("off",)
    ),
    "a BMC that drops the proposal of suite 17 gets suite 3": Row(
        Scene("off", Plan(suites=(3,), suite_status=None)), POWERED_OFF, ("off",)
    ),
    "an operator may fence": Row(
        Scene("reboot", parameters={"username": "operator"}),
        REBOOTED,
        ("off", "on"),
    ),
    "an operator may fence where the level is refused in the session": Row(
        Scene("off", Plan(too_low_at="session"), {"username": "operator"}),
        POWERED_OFF,
        ("off",),
    ),
    "a level that the BMC does not have": Row(
        coded("off", privilege=(0x80,) * ALWAYS), words=("privilege", "privlvl")
    ),
    "over IPv6": Row(Scene("reboot", host="::1"), REBOOTED, ("off", "on")),
    "sessions that are taken at first": Row(
        Scene("off", Plan(open_status=(0x01, 0x01))), POWERED_OFF, ("off",)
    ),
    "one session at a time is enough": Row(
        Scene("reboot", Plan(sessions=1)), REBOOTED, ("off", "on")
    ),
    "a BMC that does not tell unknown users anything is silent": Row(
        Scene("off", Plan(unknown_user=None), {**SHORT, "username": "nobody"}),
        words=("answer",),
        within_s=6,
    ),
    "a monitor finds an account that may fence": Row(
        Scene("monitor", parameters={"username": "operator"}), exit_code=0
    ),
    "a monitor finds a USER account, refused at login": Row(
        user("monitor"), words=("privilege", "'user'")
    ),
    "a monitor finds a USER account, refused in the session": Row(
        user("monitor", "session"), words=("privilege", "'user'")
    ),
    "a monitor finds a USER account, refused with the order": Row(
        user("monitor", "order"), words=("privilege", "'user'")
    ),
    "a monitor finds a BMC whose firmware is updated": Row(
        Scene("monitor", Plan(updating=True)), words=("firmware",)
    ),
    "a monitor finds chassis control disabled": Row(
        Scene("monitor", Plan(disabled_commands=(2,))), words=("Chassis Control",)
    ),
    "a monitor finds power down disabled": Row(
        Scene("monitor", Plan(disabled_orders=(0,))), words=("power down",)
    ),
    "a monitor is content with a BMC that tells nothing of this": Row(
        Scene(
            "monitor",
            Plan(
                missing=(
                    "enables",
                    "sub-function enables",
                    "session info",
                    "channel access",
                    "user access",
                )
            ),
        ),
        exit_code=0,
    ),
}

ANSWERS = {
    "a busy chassis is asked again": Row(
        coded("off", off=(0xC0, 0xC0)), POWERED_OFF, ("off",)
    ),
    "a state that cannot be told at first": Row(
        coded("off", status=(0xC0, 0xFF, 0xC3)), POWERED_OFF, ("off",)
    ),
    "an off that is refused in the present state, once": Row(
        coded("off", off=(0xD5,)), POWERED_OFF, ("off",)
    ),
    "an off that is done though the BMC says that it took too long": Row(
        Scene("off", Plan(codes={"off": (0xC3,)}, carries_out_refused=True)),
        POWERED_OFF,
        ("off",),
    ),
    "an on that is busy at first": Row(
        coded("reboot", on=(0xC0,)), REBOOTED, ("off", "on")
    ),
    "a chassis status of any wrong length is not off": Row(
        Scene("off", Plan(is_on=False, lengths={"status": (0, 1, 2)})), ALREADY_OFF
    ),
    "a longer chassis status is one": Row(
        Scene("off", Plan(lengths={"status": (4,) * ALWAYS})), POWERED_OFF, ("off",)
    ),
    "garbage and packets that are cut": Row(
        Scene("off", Plan(fates=("", "", "", "", "", "garbage", "cut 30", "cut 3"))),
        POWERED_OFF,
        None,
    ),
    "every answer comes twice": Row(
        Scene("reboot", Plan(fates=("twice",) * ALWAYS)), REBOOTED, ("off", "on")
    ),
    "an order that the account may not give": Row(
        user("off", "order"), words=("the right for power off",)
    ),
    "a restart after the order": Row(
        Scene("reboot", Plan(off_s=1.5, restarts=(1.0,), restart_s=1.0)),
        REBOOTED,
        ("off", "on"),
    ),
    "sessions that end after a second": Row(
        Scene("off", Plan(idle_s=0.05, off_s=1.0)), POWERED_OFF, ("off",)
    ),
    "a second controller behind the BMC": Row(
        Scene("status", Plan(bridge=0x72), BRIDGED), STATUS_ON
    ),
    "a second controller whose answers come inside": Row(
        Scene("status", Plan(bridge=0x72, embeds_bridged=True), BRIDGED), STATUS_ON
    ),
    "a second controller that is not there": Row(
        Scene("status", Plan(bridge=0x20), {**BRIDGED, **SHORT}),
        words=("named by target",),
    ),
}

# Where fence_ipmilan is unsafe or wrong: each of its answers, and ours.
DANGERS = {
    "a cycle that is seen": Row(
        Scene("reboot", Plan(cycle_s=2.0), CYCLE), REBOOTED, ("cycle",)
    ),
    "a cycle that is ignored is not claimed": Row(
        Scene("reboot", Plan(ignored={"cycle": 1}), {**SHORT, **CYCLE}),
        orders=("cycle",),
        words=("not proven off",),
    ),
    "a cycle that is too short to be seen is not claimed": Row(
        Scene("reboot", Plan(cycle_s=0.01), {**SHORT, **CYCLE}),
        orders=("cycle",),
        words=("not proven off",),
    ),
    "a cycle of a node that is off only turns it on": Row(
        Scene("reboot", Plan(is_on=False), CYCLE), REBOOTED, ("on",)
    ),
    "a cycle whose answer is lost is not sent again": Row(
        Scene(
            "reboot", Plan(cycle_s=1.0, fates=("",) * 6 + ("lost",)), {**SHORT, **CYCLE}
        ),
        orders=("cycle",),
        words=("not proven off",),
    ),
    "a state that flaps while power goes down": Row(
        Scene("off", Plan(off_s=1.0, false_reads=(None, 0, None, 0, None, 0))),
        POWERED_OFF,
        ("off",),
    ),
    "one false off before the order": Row(
        Scene("off", Plan(false_reads=(0,))), POWERED_OFF, ("off",)
    ),
    "one false off after the order": Row(
        Scene("off", Plan(off_s=0.5, false_reads=(None, 0))), POWERED_OFF, ("off",)
    ),
    "an interrupt goes out once": Row(
        Scene("diag"), "Success: Diagnostic interrupt sent\n", ("diag",)
    ),
    "an interrupt whose answer is lost is not sent again": Row(
        Scene("diag", Plan(fates=("",) * 6 + ("lost",)), SHORT),
        orders=("diag",),
        words=("stopped answering",),
    ),
    "an interrupt under the fencer is no fencing": Row(
        Scene("diag", environ=FENCER), orders=("diag",), words=("counts as running",)
    ),
    "an off that is ignored at first": Row(
        Scene("off", Plan(ignored={"off": 1})), POWERED_OFF, ("off", "off")
    ),
    "a port that is none": Row(
        Scene("off", parameters={"ipport": 99999}), words=("ipport", "65535")
    ),
    "a time that is none": Row(
        Scene("off", parameters={"power_timeout": -1}), words=("power_timeout", "-1")
    ),
    "under the fencer an off that is ignored ends in time": Row(
        Scene("off", Plan(ignored={"off": ALWAYS}), BUDGET, environ=FENCER),
        orders=None,
        words=("not proven off",),
        within_s=WITHIN_S,
    ),
    "under the fencer silence after the order ends in time": Row(
        Scene("off", Plan(answers=3, off_s=60), BUDGET, environ=FENCER),
        orders=("off",),
        words=("not proven off", "does not answer"),
        within_s=WITHIN_S,
    ),
    "under the fencer a monitor of a busy BMC ends in time": Row(
        Scene(
            "monitor", Plan(codes={"status": (0xC0,) * ALWAYS}), BUDGET, environ=FENCER
        ),
        words=("busy",),
        within_s=WITHIN_S,
    ),
    "offs that come late are not carried out after the on": Row(
        Scene(
            "reboot",
            trouble=Trouble(copies_s=(0.2, 0.5, 1.0, 2.0)),
            plays_again=True,
        ),
        REBOOTED,
        None,
    ),
    "everything is played again after an off": Row(
        Scene("off", plays_again=True), POWERED_OFF, ("off",)
    ),
    # Beyond what one channel can find out: only a second device contradicts a liar.
    "a BMC that always lies is believed": Row(
        Scene("off", Plan(lie=0)), ALREADY_OFF, ()
    ),
    "a BMC that lies after the order is believed": Row(
        Scene("off", Plan(ignored={"off": ALWAYS}, false_reads=(None,), lie=0)),
        POWERED_OFF,
        ("off",),
    ),
}

SILENCES = {
    "nothing reaches the BMC after login": Row(
        Scene("off", parameters=SHORT, trouble=Trouble(session_packets=1)),
        words=("stopped answering",),
        within_s=8,
    ),
    "nothing reaches the BMC after the look": Row(
        Scene("off", parameters=SHORT, trouble=Trouble(session_packets=2)),
        words=("not proven off",),
        within_s=8,
    ),
    "nothing reaches the BMC after the order, in each session": Row(
        Scene("off", parameters=SHORT, trouble=Trouble(session_packets=3)),
        POWERED_OFF,
        ("off",),
    ),
    "a silence of both directions after the order": Row(
        Scene("off", Plan(off_s=1.0), trouble=Trouble(silences=((0.7, 3.0),))),
        POWERED_OFF,
        None,
    ),
    "the BMC does not hear for a while": Row(
        Scene(
            "off",
            Plan(off_s=1.0),
            trouble=Trouble(silences=((0.7, 3.0),), one_way=TO_BMC),
        ),
        POWERED_OFF,
        None,
    ),
    "the BMC is not heard for a while": Row(
        Scene(
            "reboot",
            Plan(off_s=1.0),
            trouble=Trouble(silences=((0.7, 3.0),), one_way=TO_AGENT),
        ),
        REBOOTED,
        None,
    ),
    "a tenth of a second in each direction": Row(
        Scene("reboot", trouble=Trouble(delay_s=0.1)), REBOOTED, ("off", "on")
    ),
    "a fifth of a second in each direction": Row(
        Scene("off", trouble=Trouble(delay_s=0.2)), POWERED_OFF, None
    ),
    "packets overtake each other": Row(
        Scene("reboot", trouble=Trouble(jitter_s=0.4, twice=0.5), plays_again=True),
        REBOOTED,
        None,
    ),
}

ROWS = {**LOGIN, **ANSWERS, **DANGERS, **SILENCES}
