"""Pacemaker is made to forget a start or a migration that is still under way.

A refresh erases what a node did and probes anew; a resource that is deleted and created
again is new. The probe runs beside the forgotten action and must not say "not running"
of a guest that is about to run: Pacemaker would start it on another node as well.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING

import pytest
from lab import LabError
from lab.processes import Process

if TYPE_CHECKING:
    from lab import Lab
    from lab.node import Node
    from lab.watch import Watch

GUESTS = ("web1", "web2")
LONG_S = 3600  # with --long
SLOW_MIB_S = 12  # a migration then takes some seconds
SETTLES_S = 120.0
# A refresh can delete a recurring monitor that the controller has ordered and not yet
# had an answer to. Pacemaker 2.1.5 then waits for it, its timeout and cluster-delay.
IDLE_S = 60.0 + 60.0 + 60.0
FORGOTTEN_S = 30.0  # longer than all its waits
FORGET = "timeout -s KILL 3 crm_resource --refresh -r {guest} >/dev/null 2>&1"
CREATE_AGAIN = """\
xml=$(cibadmin --query --xpath '//primitive[@id="{guest}"]')
cibadmin --delete --xml-text '<primitive id="{guest}"/>'
cibadmin --create --scope resources --xml-text "$xml"
"""


class Trial:
    """One guest's action, and when and how it is forgotten."""

    def __init__(self, lab: Lab, guest: str, random: Random) -> None:
        self.lab = lab
        self.guest = guest
        self.action = random.choice(("start", "migration"))
        self.how = random.choice((FORGET, FORGET, CREATE_AGAIN))
        longest_s = 0.9 if self.action == "start" else 6.0
        self.waits_s = [random.uniform(0, longest_s), random.uniform(0, 1.5)]
        self.waits_s = self.waits_s[: random.choice((1, 1, 2))]
        self.frozen_s = random.choice((0.0, random.uniform(0.2, 3.0)))
        self.frozen, self.target = random.choice(lab.nodes), random.choice(lab.nodes)

    def __repr__(self) -> str:
        waits = " and ".join(f"{wait_s:.3f} s" for wait_s in self.waits_s)
        how = "refreshed" if self.how == FORGET else "created again"
        frozen = f", libvirtd of {self.frozen.name} frozen for {self.frozen_s:.1f} s"
        return f"{self.guest}: {self.action} {how} after {waits}" + (
            frozen if self.frozen_s else ""
        )

    def run(self) -> None:
        """Order the action and have it forgotten."""
        order = f"crm_resource --move -r {self.guest} --node {self.target.name}"
        undo = f"crm_resource --clear -r {self.guest}"
        if self.action == "start":
            self.lab.cluster.pcs("resource", "disable", self.guest)
            self.lab.cluster.wait_where(self.guest, [], SETTLES_S)
            order = f"crm_resource -r {self.guest} --meta -d target-role"
        how = self.how.format(guest=self.guest)
        script = [f"({order}) >/dev/null 2>&1"]
        script += [f"sleep {wait_s:.3f}\n{how}" for wait_s in self.waits_s]
        if self.how == CREATE_AGAIN:  # what refers to it would keep it
            script.insert(1, f"{undo} >/dev/null 2>&1")
        thaw = freeze(self.frozen, self.frozen_s) if self.frozen_s else None
        with suppress(LabError):  # a refresh waits for nodes that do not answer
            self.lab.cluster.run(["sh", "-c", "\n".join(script)], FORGOTTEN_S)
        if thaw is not None:
            thaw.join()
        self.lab.cluster.run(["sh", "-c", f"{undo} || true"])


def freeze(node: Node, seconds: float) -> threading.Timer:
    """Stop a node's libvirtd for a time."""
    frozen = [Process.of(pid) for pid in node.pids("libvirtd")]

    def thaw() -> None:
        for process in frozen:
            process.signal(signal.SIGCONT)

    for process in frozen:
        process.signal(signal.SIGSTOP)
    timer = threading.Timer(seconds, thaw)
    timer.start()
    return timer


@pytest.mark.timeout(LONG_S)
def test_a_guest_whose_start_or_migration_is_forgotten_executes_once(
    lab: Lab, watch: Watch, seed: int, is_long: bool, figures: list[str]
) -> None:
    """Two guests at once; the refresh at the end finds what a trial left failed.

    Pacemaker 2.1.5's controller ends when a resource that it is about to start was
    just forgotten ("Could not initiate start action"): its node is fenced, and the
    guests must execute once all the same.
    """
    random = Random(seed)
    for guest in GUESTS:
        lab.cluster.pcs("resource", "update", guest, f"migration_speed={SLOW_MIB_S}")
    try:
        for _ in range(60 if is_long else 1):
            began_s = time.monotonic()
            trials = [Trial(lab, guest, random) for guest in GUESTS]
            threads = [threading.Thread(target=trial.run) for trial in trials]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            lab.wait_idle(IDLE_S)
            fenced = lab.story().since(began_s, "fencing confirmed")
            if fenced:
                figures.append(f"{fenced[0].subject} was fenced: {trials}")
                lab.recover()
            for guest in GUESTS:
                if len(lab.cluster.where(guest)) != 1:
                    lab.cluster.run(["crm_resource", "--refresh", "-r", guest])
                place = lab.cluster.wait_running(guest)
                watch.wait_tick(guest, time.monotonic(), SETTLES_S, node=place)
                assert watch.most_copies(guest) == 1, f"twice: {trials}"
                assert watch.executing(guest) == [place], f"elsewhere: {trials}"
    finally:
        for guest in GUESTS:
            lab.cluster.pcs("resource", "update", guest, "migration_speed=")
        lab.wait_idle(IDLE_S)
