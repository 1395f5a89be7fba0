"""The table: each situation, how it comes about, the call, and what is right there.

The fencing time is 20 s where Pacemaker's fencer is said to call: the real 60 s would
only take longer to show the same. An agent has 0.6 of it, so that another try, or the
next device, still gets its turn; the fencer kills at 1.2 of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bmc.plan import Plan
from bmc.proxy import Trouble

from fencing.judge import OK, SLOW, UNSAFE, WRONG, Right, right
from fencing.scene import Scene

FENCING_S = 20
SHARE = 0.6
KILLED_AT = 1.2
ALWAYS = 1000
IN_TIME_S = SHARE * FENCING_S

FLAPS = (1, *((0, 1) * 15))
REFUSED_HERE = 0xD5  # IPMI 2.0, table 5-2: not supported in present state
SUITE_17_ONLY = Plan(suites=(17,))
USER_ONLY = Plan(too_low_at="order")

Given = Mapping[str, object]
NOTHING: Given = {}


@dataclass(frozen=True)
class Situation:
    """One row. ``given`` are parameters for both agents; ``by_fencer`` who calls.

    ``seeds`` play it several times at once: all must be right, or ``enough`` of them.
    ``watch_s`` is how long the node is looked at after the agent's end. ``looks``
    repeats the call until the password was seen by others, so often at most. ``peer``
    is what is known of fence_ipmilan here; None where its luck varies.
    """

    name: str
    scene: Scene
    action: str
    right: Right
    given: Given = field(default_factory=dict)
    by_fencer: bool = False
    seeds: tuple[int, ...] = (1,)
    watch_s: float = 0.2
    looks: int = 0
    enough: int = ALWAYS
    peer: str | None = OK

    @property
    def cut_s(self) -> float:
        """When the call is cut."""
        return KILLED_AT * FENCING_S if self.by_fencer else 60.0


def chassis(**faults: object) -> Scene:
    """Return a scene of ipmi_sim with faults of its chassis."""
    return Scene(chassis=faults)


S = Situation
HEALTHY = Scene()
FROZEN = Scene(is_frozen=True)
CYCLE: Given = {"method": "cycle"}
FIVE = (1, 2, 3, 4, 5)

LOST = tuple(Scene(network=Trouble(loss=percent / 100)) for percent in (5, 10, 30))

SITUATIONS = (
    # Is it off when it says so?
    S("one false off before the order", chassis(false_reads=[0]), "off", right(0),
      peer=UNSAFE),
    S("one false off after the order",
      Scene(scripted=Plan(false_reads=(1, 0), off_s=4)), "off", right(0), peer=UNSAFE),
    S("flapping while it goes off",
      Scene(scripted=Plan(false_reads=FLAPS, off_s=3)), "off", right(0), peer=UNSAFE),
    S("method=cycle, off after 4 s", Scene(scripted=Plan(off_s=4, cycle_s=2)),
      "reboot", right(0), CYCLE, watch_s=3, peer=UNSAFE),
    S("method=cycle that is ignored", Scene(scripted=Plan(ignored={"cycle": ALWAYS})),
      "reboot", right(1), {**CYCLE, "power_timeout": 4}, peer=UNSAFE),
    S("method=cycle, node is off",
      Scene(scripted=Plan(codes={"cycle": (REFUSED_HERE,) * ALWAYS}), is_on=False),
      "reboot", right(0), CYCLE, peer=WRONG),
    S("each packet again 1.5 s later", Scene(network=Trouble(copies_s=(1.5,))),
      "reboot", right(0), watch_s=2),
    # Does it get the node off?
    S("the first off is ignored", chassis(ignore_offs=1), "off", right(0), peer=WRONG),
    # At 30 % theirs never succeeds. Ours may fail at its login, and is tried again.
    S("5 % of packets lost", LOST[0], "off", right(0), seeds=FIVE, peer=None),
    S("10 % of packets lost", LOST[1], "off", right(0), seeds=FIVE, peer=None),
    S("30 % of packets lost", LOST[2], "off", right(0), seeds=FIVE, enough=1,
      peer=WRONG),
    # Does it end in time for the next try or device?
    S("fencer, off is ignored", chassis(ignore_offs=ALWAYS), "off",
      right(1, within_s=IN_TIME_S), by_fencer=True, peer=SLOW),
    S("fencer, silence after the off", Scene(scripted=Plan(answers=4, off_s=60)), "off",
      right(1, within_s=IN_TIME_S), by_fencer=True, peer=SLOW),
    S("fencer, the BMC is frozen", FROZEN, "off",
      right(1, says="answer", within_s=IN_TIME_S), by_fencer=True, peer=SLOW),
    S("the BMC is frozen", FROZEN, "off", right(1, says="answer", within_s=IN_TIME_S),
      peer=SLOW),
    # Does it say why?
    S("wrong password", HEALTHY, "off", right(1, says="password"),
      {"password": "not-this-one"}, peer=WRONG),
    S("unknown user", HEALTHY, "off", right(1, says="no user|unauthorized name"),
      {"username": "nobody"}, peer=WRONG),
    S("name that is not resolved", HEALTHY, "off", right(1, says="resolve"),
      {"ip": "bmc.invalid"}, peer=WRONG),
    S("refused cipher suite", Scene(scripted=SUITE_17_ONLY), "off",
      right(1, says="suite"), {"cipher": 3}, peer=WRONG),
    S("privilege too low", Scene(scripted=USER_ONLY), "off",
      right(1, says="privilege|role"), {"username": "user"}, peer=WRONG),
    # Does it take what cannot be meant, and is its monitor worth anything?
    S("ipport=99999", HEALTHY, "validate-all", right(1), {"ipport": 99999}, peer=WRONG),
    S("power_timeout=-1", HEALTHY, "validate-all", right(1), {"power_timeout": -1},
      peer=WRONG),
    S("monitor, may not power off", Scene(scripted=USER_ONLY), "monitor", right(1),
      {"username": "user"}, peer=WRONG),
    # Does it keep quiet?
    S("password in the process list", HEALTHY, "status", right(0), looks=30,
      peer=WRONG),
    S("stderr when all is well", HEALTHY, "status", right(0, silent=True), peer=WRONG),
    # All is well.
    S("healthy", HEALTHY, "off", right(0)),
    S("healthy", HEALTHY, "reboot", right(0)),
    S("healthy, takes 2 s to go off", chassis(off_takes_s=2), "off", right(0)),
)  # fmt: skip
