"""The seconds of one call: where they come from, and where they end.

Made by ``run``. The fencer does not tell an agent its limit, so ``fencing_timeout``
does. It tries a second time, and turns to the next device, only while time is left: an
action that ends at 0.6 of the limit leaves enough (Pacemaker wants 30 % of it).
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadParameter
from vmha.agents.protocol.parameters import YES
from vmha.fence.protocol import actions, worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.parameters import Values

SHARE = 0.6
FENCER_LOOK_S = 12.0  # of the 20 s that Pacemaker gives a monitor by default
ENDING_S = 0.5  # for the interpreter's start, and to kill and collect a worker
DELAY_SHARE = 3  # a delay may take a third of the fencing time,
PROOF_S = 5.0  # and leaves these seconds for the fencing itself

LOOKS = ("status", "monitor", "list-status")


class Budget:
    """``total_s`` to the hard end, ``power_s`` from an order to its proof.

    ``paths`` is how many logins may have to be tried. ``shortened`` says why the delay
    is not the one that was asked for, "" where it is. A delay that would leave the
    fencer no time is refused by monitor and validate-all, on a quiet day; in a fencing
    it is cut.
    """

    __slots__ = ("delay_s", "power_s", "shortened", "total_s")

    def __init__(
        self, action: str, values: Values, under_fencer: bool, paths: int = 1
    ) -> None:
        unlimited = values.text("disable_timeout").lower()
        patient = unlimited in YES if unlimited else under_fencer
        whole_s = values.number("fencing_timeout")
        fencing_s = SHARE * whole_s - ENDING_S
        own_s = 0 if patient else values.number("power_timeout")
        self.power_s = float(own_s or fencing_s)
        self.delay_s = values.number("delay") if action in ("off", "reboot") else 0
        if under_fencer:
            self.total_s = min(FENCER_LOOK_S, fencing_s)
            if action not in LOOKS:
                self.total_s = fencing_s
        else:
            self.total_s = self._own(action, values, paths)
        spare_s = fencing_s - worker.LEAVING_S - PROOF_S
        most_s = max(0, min(whole_s // DELAY_SHARE, int(spare_s)))
        self.shortened = ""
        if values.number("delay") > most_s:
            self._refuse_delay(action, values, most_s, under_fencer)

    def _own(self, action: str, values: Values, paths: int) -> float:
        """Return what the user's own limits add up to."""
        total_s = worker.LEAVING_S + paths * values.number("login_timeout")
        total_s += values.number("shell_timeout") if action in LOOKS else self.power_s
        total_s += actions.SECOND_HALF_S if action == "reboot" else 0
        return total_s + self.delay_s

    def _refuse_delay(
        self, action: str, values: Values, most_s: int, under_fencer: bool
    ) -> None:
        """Refuse a delay that the fencer has no time for, or cut it."""
        problem = BadParameter(
            "delay",
            values.text("delay"),
            f"give at most {most_s}, more leaves no time to fence; "
            "pcmk_delay_base waits without using up that time",
        )
        if action in ("monitor", "validate-all"):
            raise problem
        if under_fencer and self.delay_s:
            self.delay_s = most_s
            self.shortened = f"{problem}; {most_s} s are waited"
