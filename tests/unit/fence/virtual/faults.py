"""Fault schedules: what goes wrong while one action is carried out, drawn at random.

A schedule has a few kinds of fault, and a number from which their times and sizes
follow. hypothesis draws both, and takes kinds away until it has the fewest that fail.
"""

from __future__ import annotations

from random import Random
from typing import Any, Callable

from bmc.plan import Plan
from bmc.proxy import TO_AGENT, TO_BMC, Trouble
from hypothesis import strategies as st

# What a BMC says to an order it does not carry out, and to one that it may.
REFUSALS = (0xC0, 0xC3, 0xCC, 0xD5, 0xFF)
DOUBTS = (0xC3, 0xFF, 0x80)
CODES = {"refusals": REFUSALS, "doubts": DOUBTS}
MOST_KINDS = 5
LOOKS = 30


class Schedule:
    """All that goes wrong in one action; ``second`` is the fallback path's network.

    ``lies`` are the numbers of the agent's looks that show the contrary of the truth.
    ``cut_at_s`` is when the first path is cut for good, ``turned_on_at_s`` when
    somebody else turns the node on.
    """

    def __init__(self, action: str, kinds: frozenset[str], seed: int) -> None:
        self.action = action
        self.kinds = kinds
        self.seed = seed
        chance = Random(seed)
        network: dict[str, Any] = {"delay_s": 0.001, "seed": seed}
        bmc: dict[str, Any] = {"seed": seed, "is_on": action != "on"}
        for kind in sorted(kinds & NETWORK.keys()):
            network |= NETWORK[kind](chance)
        for kind in sorted(kinds & BMC.keys()):
            bmc |= BMC[kind](chance)
        self.trouble = Trouble(**network)
        self.plan = Plan(**bmc)
        self.lies = _lies(chance) if "lies" in kinds else frozenset()
        self.rest_s = 2.0 if "power_wait" in kinds else 0.0
        self.cut_at_s = _moment(chance) if "first path cut" in kinds else None
        self.echo_s = chance.choice((0.1, 1, 5, 12)) if "echo" in kinds else 0.0
        self.turned_on_at_s = _moment(chance) if "somebody" in kinds else None
        self.second: Trouble | None = None
        if {"fallback", "first path cut"} & kinds:
            self.second = Trouble(**(network | {"seed": seed + 1}))

    @property
    def doubles(self) -> bool:
        """Tell whether the network delivers packets twice."""
        return bool(self.kinds & {"twice", "echo"})

    def __repr__(self) -> str:
        return f"Schedule({self.action!r}, frozenset({set(self.kinds)}), {self.seed})"


def schedules(action: str) -> st.SearchStrategy[Schedule]:
    """Draw a schedule for an action."""
    kinds = st.frozensets(st.sampled_from(KINDS), max_size=MOST_KINDS)
    return st.builds(Schedule, st.just(action), kinds, st.integers(0, 2**32))


def _lies(chance: Random) -> frozenset[int]:
    """Draw false looks, never two in a row."""
    share = chance.uniform(0.1, 0.7)
    drawn: set[int] = set()
    for look in range(LOOKS):
        if look - 1 not in drawn and chance.random() < share:
            drawn.add(look)
    return frozenset(drawn)


def _moment(chance: Random) -> float:
    """Draw a time: half of them while a healthy action lasts."""
    return chance.uniform(0, chance.choice((0.25, 8)))


def _silence(chance: Random) -> dict[str, Any]:
    begin, length = _moment(chance), chance.uniform(0.3, 15)
    way = chance.choice(("", TO_BMC, TO_AGENT, TO_AGENT))
    return {"silences": ((begin, begin + length),), "one_way": way}


def _codes(kind: str) -> Callable[[Random], dict[str, Any]]:
    def draw(chance: Random) -> dict[str, Any]:
        names = chance.sample(("control", "status", "close"), chance.randint(1, 2))
        codes = {name: _some(chance, CODES[kind]) for name in names}
        return {"codes": codes, "carries_out_refused": kind == "doubts"}

    return draw


def _some(chance: Random, values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(chance.choice((0, *values)) for _ in range(chance.randint(1, 5)))


def _restarts(chance: Random) -> dict[str, Any]:
    times = sorted(_moment(chance) for _ in range(chance.randint(1, 2)))
    return {"restarts": tuple(times), "restart_s": chance.choice((0.0, 1.0, 6.0))}


def _fates(chance: Random) -> dict[str, Any]:
    fates = ("", "", "lost", "twice", "garbage", f"cut {chance.randint(0, 60)}")
    return {"fates": tuple(chance.choice(fates) for _ in range(40))}


NETWORK: dict[str, Callable[[Random], dict[str, Any]]] = {
    "loss": lambda r: {"loss": r.choice((0.05, 0.1, 0.2, 0.4))},
    "twice": lambda r: {"twice": r.choice((0.1, 0.5))},
    "late": lambda r: {"late": r.choice((0.1, 0.4)), "late_s": r.choice((0.5, 3, 12))},
    "slow network": lambda r: {"delay_s": r.choice((0.05, 0.2, 0.8))},
    "jitter": lambda r: {"jitter_s": r.choice((0.02, 0.5))},
    "silence": _silence,
    "deaf for good": lambda r: {"deaf_after": r.randint(6, 40)},
    "mute for good": lambda r: {"mute_after": r.randint(6, 40)},
    "silent sessions": lambda r: {"session_packets": r.randint(1, 12)},
}
BMC: dict[str, Callable[[Random], dict[str, Any]]] = {
    "restarts": _restarts,
    "short sessions": lambda r: {"session_answers": r.randint(1, 9)},
    "mute sessions": lambda r: {"session_answers": r.randint(1, 9), "is_deaf": False},
    "few sessions": lambda r: {"sessions": r.choice((1, 2)), "idle_s": 8.0},
    "taken sessions": lambda r: {"open_status": (0x01,) * r.randint(1, 4)},
    "confused logins": lambda r: {"rakp4_status": _some(r, (0x0F, 0x02))},
    "one suite": lambda r: {"suites": (r.choice((3, 17)),), "suite_status": None},
    "window": lambda _: {"executes_duplicates": False},
    "bad packets": _fates,
    "short answers": lambda r: {"lengths": {"status": _some(r, (1, 2, 5))}},
    "refusals": _codes("refusals"),
    "doubts": _codes("doubts"),
    "ignores": lambda r: {"ignored": {"off": r.randint(1, 3), "on": r.randint(0, 2)}},
    "ignores cycle": lambda _: {"ignored": {"cycle": 1}},
    "slow off": lambda r: {"off_s": r.choice((0.3, 2.0, 6.0))},
    "slow on": lambda r: {"on_s": r.choice((0.5, 3.0))},
    "short cycle": lambda r: {"cycle_s": r.choice((0.01, 0.15, 5.0))},
    "is off": lambda _: {"is_on": False},
}
OTHERS = ("lies", "echo", "power_wait", "fallback", "first path cut", "somebody")
KINDS = (*NETWORK, *BMC, *OTHERS)
