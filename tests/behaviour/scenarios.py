"""The table: each situation, how it comes about, and the answers OCF allows.

``wants`` is "action=code|code …" for every action that makes sense there. probe and
monitor never answer 7, and probe never 5, of a guest that may live; stop answers 0 with
proof or 1, never 5 or 6; a start that must fail says 1, 2, 5 (not on this node) or 6
(nowhere). "migrate" is migrate_to with all that Pacemaker makes of its answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Callable, NamedTuple

from hosts.pair import Pair

from behaviour import stage
from behaviour.stage import Case, given

Step = Callable[[Case], None]


class Situation(NamedTuple):
    """One row: its name, its steps, the fault that befalls a host, what OCF wants."""

    name: str
    steps: tuple[Step, ...]
    wants: str
    fault: Callable[[Pair], None] = stage.nothing

    @property
    def allowed(self) -> Mapping[str, frozenset[int]]:
        """The codes allowed to each action."""
        pairs = (word.split("=") for word in self.wants.split())
        return {a: frozenset(int(c) for c in codes.split("|")) for a, codes in pairs}


S = Situation
runs, boots = stage.runs, stage.boots
WELL = "probe=0 monitor=0 start=0 stop=0"
STILL_STOPS = "probe=0 monitor=0|1 stop=0"

SITUATIONS = (
    # What the guest may be.
    S("it runs", (runs,), f"{WELL} validate=0 migrate=0 unknown=3"),
    S("it does not run", (), "probe=7 monitor=7 start=0 stop=0 validate=0 migrate=1|7"
      " migrate_from=1"),
    S("paused by an administrator", (runs, stage.is_paused), f"{WELL} migrate=0"),
    S("paused by an I/O error", (stage.stands_on_an_io_error,),
      "probe=0|1 monitor=1 stop=0 migrate=1"),
    S("its kernel has panicked", (stage.has_panicked,),
      "probe=0|1 monitor=1 start=0|1 stop=0 migrate=1"),
    S("it has suspended itself to memory", (stage.sleeps,),
      "probe=0|1 monitor=0|1 start=0|1 stop=0 migrate=1"),
    S("its emulator is frozen", (runs, stage.is_frozen, stage.is_asked_first),
      "probe=0|1 monitor=0|1 start=0|1 stop=0 migrate=1"),
    S("it ignores the power button", (stage.is_deaf, boots, stage.is_asked_first),
      "stop=0"),
    S("half of it has arrived here", (stage.boots_on_the_other, stage.has_half_arrived),
      "probe=1 monitor=1 start=1 stop=0", stage.the_other_libvirt_is_frozen),
    S("another UUID runs under its name", (stage.a_stranger_runs,),
      "probe=7 monitor=7 start=1 stop=0 migrate=1|7"),
    # Its file.
    S("file gone", (runs, stage.its_file_is_gone),
      f"{STILL_STOPS} start=5 migrate=0|1|5"),
    S("file gone, all memory lost",
      (runs, stage.its_file_is_gone, stage.all_memory_of_it_is_lost),
      "probe=0|1 monitor=0|1 start=5 stop=0|1"),
    S("file gone, it does not run", (stage.its_file_is_gone,),
      "probe=7 monitor=7 start=5 stop=0 validate=0|5"),
    S("file empty", (runs, stage.its_file_is_empty),
      f"{STILL_STOPS} start=2|5 migrate=0|1|2|5"),
    S("file cut short", (runs, stage.its_file_is_broken),
      f"{STILL_STOPS} start=2|5 migrate=0|1|2|5"),
    S("file unreadable (EIO)", (runs, stage.its_file_cannot_be_read),
      f"{STILL_STOPS} start=2|5 migrate=0|1|2|5"),
    S("file on a hung mount", (runs, stage.its_file_hangs),
      f"{STILL_STOPS} start=1|5 migrate=0|1|5"),
    S("file of one line", (runs, stage.its_file_is_one_line), f"{WELL} migrate=0"),
    S("one-line file, it does not run", (stage.its_file_is_one_line,),
      "probe=7 monitor=7 start=0 stop=0"),
    S("file with a second <name>", (stage.its_file_names_a_second,),
      "probe=7 monitor=7 start=0 stop=0"),
    # Its parameters.
    S("no parameters at all", (runs, given("config", None)),
      "probe=0|1 monitor=0|1 start=6 stop=0|1 validate=6"),
    S("migration_speed=fast", (runs, given("migration_speed", "fast")),
      "probe=0 monitor=0 start=0|6 stop=0 validate=6 migrate=0|1|6"),
    S("stateless without backingfile", (runs, given("stateless", "true")),
      "probe=0 monitor=0 start=0|6 stop=0 validate=0|6"),
    S("hypervisor=nonsense", (runs, given("hypervisor", "nonsense")),
      "probe=0|1 monitor=0|1 start=1|6 stop=0|1 validate=6 migrate=1|6"),
    S("force_stop with snapshot", (runs, given("snapshot", "/run/guests")),
      "probe=0 monitor=0 start=0|6 stop=0 validate=0|6"),
    # libvirt.
    S("libvirt dead", (runs,), f"{WELL.replace('start=0', 'start=0|1')} migrate=1",
      stage.libvirt_is_dead),
    S("libvirt dead, it does not run", (), "probe=7 monitor=7 start=1 stop=0",
      stage.libvirt_is_dead),
    S("libvirt frozen", (runs,), f"{WELL.replace('start=0', 'start=0|1')} migrate=1",
      stage.libvirt_is_frozen),
    S("libvirt frozen, it does not run", (),
      "probe=1|7 monitor=1|7 start=1 stop=0|1", stage.libvirt_is_frozen),
    S("libvirt dead, file gone", (runs, stage.its_file_is_gone),
      "probe=0 monitor=0|1 start=1|5 stop=0 migrate=1|5", stage.libvirt_is_dead),
    S("libvirt dead, file gone, all memory lost",
      (runs, stage.its_file_is_gone, stage.all_memory_of_it_is_lost),
      "probe=0|1 monitor=0|1 start=1|5 stop=0|1", stage.libvirt_is_dead),
    # Its start.
    S("its emulator cannot start", (stage.its_emulator_cannot_start,), "start=1|5"),
    S("it dies right after its creation", (stage.it_dies_at_once,), "start=0|1"),
    # Its migration.
    S("the target lacks its file", (runs, stage.its_file_is_gone_on_the_target),
      "migrate=1|5"),
    S("the target's libvirt is dead", (runs,), "migrate=1",
      stage.the_other_libvirt_is_dead),
    S("the target's libvirt is frozen", (runs,), "migrate=1",
      stage.the_other_libvirt_is_frozen),
    S("the data port is dropped", (boots, stage.its_data_port_is_dropped), "migrate=1",
      stage.the_data_network_swallows),
    S("migrate_to again after success", (runs, stage.it_has_moved_already),
      "migrate=0"),
)  # fmt: skip
