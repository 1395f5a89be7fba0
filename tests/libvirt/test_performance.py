"""What a monitor costs, beside VirtualDomain's, and on what it rests."""

from __future__ import annotations

from typing import Callable

import pytest
from architecture.source import production
from benchmarks import cost
from benchmarks.cost import OURS, THEIRS, THEIRS_TUNED
from benchmarks.main import OF_THE_PEER
from benchmarks.meter import Command, measured
from hosts import guests, installed
from hosts.host import Host
from hosts.operation import PEER
from lab.guest import Guest

Fresh = Callable[..., Guest]


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_a_monitor_of_a_real_guest_costs_a_third_of_virtualdomains(
    alpha: Host, fresh: Fresh, is_long: bool, figures: list[str]
) -> None:
    guest = fresh()
    ours = guests.resource(installed.install(alpha), guest)
    theirs = guests.resource(PEER, guest)
    cost.put_cib(alpha, theirs.instance)
    assert ours.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    commands = [
        [cost.monitor(alpha, ours)],
        [cost.monitor(alpha, theirs)],
        [cost.monitor(alpha, theirs.but(**cost.TUNED))],
        [Command((str(ours.agent), "meta-data"), {})],
        [Command(("/usr/bin/python3", "-I", "-c", "pass"), {})],
    ]
    measured(alpha, 2, commands)

    spent = measured(alpha, 21 if is_long else 5, commands)

    own, peer, tuned, metadata, bare = (1000 * one.cpu_s for one in spent)
    figures.append(
        f"CPU of a monitor: {own:.0f} ms, VirtualDomain {peer:.0f} ms "
        f"({own / peer:.2f}), without utilization {tuned:.0f} ms ({own / tuned:.2f})"
        f"; meta-data {metadata:.0f} ms, bare python {bare:.0f} ms"
    )
    assert own <= OF_THE_PEER * peer
    assert own <= tuned
    assert spent[0].processes in (1, None)


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_a_monitor_does_not_cost_more_when_the_node_has_many_guests(
    alpha: Host, figures: list[str]
) -> None:
    rows = {row.what: row for row in cost.compared(alpha, 100, rounds=5)}

    share, theirs, tuned = (
        100 * rows[what].share_of_a_core for what in (OURS, THEIRS, THEIRS_TUNED)
    )
    figures.append(
        f"100 guests monitored each 10 s: {share:.0f} % of a core, VirtualDomain "
        f"{theirs:.0f} %, without utilization {tuned:.0f} %"
    )
    assert share <= OF_THE_PEER * theirs
    assert share <= tuned
    assert rows[OURS].cost.processes in (1, None)


def test_only_the_public_module_of_libvirt_python_is_used() -> None:
    private = ("libvirtmod", "libvirtaio", "libvirt_lxc_mod", "_o)")
    users = [m.path for m in production() for word in private if word in m.text]
    assert production()
    assert users == []
