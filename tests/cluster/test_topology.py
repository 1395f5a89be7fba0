"""Fencing with more than one device: the recipes of docs/fencing.md, on a real cluster.

A device that cannot fence says why in time, the next one has its turn, and the guest
runs elsewhere once, after a proof. What the fencer did is read from its own log.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from lab.plan import BOOT_DELAY_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab import Lab
    from lab.events import Event, Story
    from lab.node import Node
    from lab.watch import Watch

GUEST = "web1"
FAILOVER_S = 120.0
FENCING_S = 60.0
SHARE = 0.6
LOGIN_S = 5.0
KDUMP_S = 6.0
HEARD_S = 20.0
# Long enough that the guest is ordered elsewhere before its node is back.
BOOT_S = 4.0


def lose_power_with_the_bmc(node: Node) -> None:
    """The BMC hangs on the same wire: both are dead."""
    node.bmc.freeze()
    node.power_off()


def lose_both_networks(node: Node) -> None:
    """Nobody answers at the BMC's addresses, and the node is out of reach."""
    node.bmc.unplug()
    node.cut()


def hang_with_a_deaf_bmc(node: Node) -> None:
    """The BMC answers and obeys nothing."""
    node.bmc.set_fault("deaf")
    node.cut()


def answer_the_login_only(node: Node) -> None:
    """The BMC lets its caller in and then says nothing more."""
    node.bmc.set_fault("latency", "12")
    node.cut()


def device(lab: Lab, name: str, agent: str, *parameters: str) -> None:
    lab.cluster.pcs("stonith", "create", name, agent, *parameters, timeout_s=60)


def rack_device(lab: Lab, name: str) -> str:
    """One device for all nodes, over a rack controller; returns its name."""
    rack = lab.rack(name)
    hosts = " ".join(f"{node.name}={rack.address(node.name)}" for node in lab.nodes)
    login = (f"username={rack.user}", f"password={rack.password}")
    listed = "pcmk_host_check=dynamic-list"
    own = (f"hosts={hosts}", listed, "pcmk_action_limit=-1", *login)
    device(lab, f"rack-{name}", "fence_vmha_ipmi", *own)
    return f"rack-{name}"


@pytest.fixture(scope="module")
def devices(whole_lab: Lab) -> Iterator[Lab]:
    """Give the lab two rack controllers and fence_kdump."""
    for name in ("a", "b"):
        rack_device(whole_lab, name)
    device(
        whole_lab,
        "kdump",
        "fence_kdump",
        "pcmk_host_list=" + " ".join(node.name for node in whole_lab.nodes),
        "pcmk_reboot_action=off",
        "pcmk_monitor_action=metadata",  # the machine's kernel has no crash kernel
        f"timeout={KDUMP_S:g}",
        "pcmk_reboot_retries=1",
        "pcmk_off_retries=1",
    )
    yield whole_lab
    whole_lab.recover()
    whole_lab.cluster.pcs("stonith", "level", "clear")
    for name in ("rack-a", "rack-b", "kdump"):
        whole_lab.cluster.pcs("stonith", "delete", name)
    whole_lab.wait_idle()


@pytest.fixture
def levels(devices: Lab, lab: Lab) -> Iterator[Callable[[str, list[str]], None]]:
    """Give the way to set a node's levels; they are gone afterwards."""

    def set_levels(node: str, wanted: list[str]) -> None:
        for number, names in enumerate(wanted, 1):
            lab.cluster.pcs(
                "stonith", "level", "add", str(number), node, *names.split()
            )
        lab.wait_idle()

    for node in lab.nodes:
        node.bmc.set_boot_delay(BOOT_S)
    yield set_levels
    lab.recover()
    for node in lab.nodes:
        node.bmc.set_boot_delay(BOOT_DELAY_S)
    lab.cluster.pcs("stonith", "level", "clear")


def answers(story: Story, node: str, since_s: float) -> list[str]:
    """What the devices answered when the node was to be fenced, in their order."""
    told = [e for e in story.since(since_s, "device answered") if e.subject == node]
    return [event.result for event in told]


def first(story: Story, kind: str, subject: str, since_s: float, result: str) -> Event:
    event = story.first(kind, subject, since_s, result)
    assert event is not None, f"{kind} of {subject}: {result} is in no log"
    return event


def fenced_and_moved(lab: Lab, watch: Watch, source: str, began_s: float) -> Story:
    """Wait until the guest ticks elsewhere; it starts only after the proof."""
    watch.wait_tick(GUEST, began_s, FAILOVER_S, not_on=source)
    executes_s = watch.first_execution(GUEST, began_s, not_on=source)
    story = lab.story()
    proven = first(story, "fencing confirmed", source, began_s, "OK")
    assert executes_s is not None
    assert proven.time_s < executes_s
    return story


def history(lab: Lab, node: str) -> list[ElementTree.Element]:
    """All ended entries of a survivor's fencer's history for a node."""
    survivor = next(one for one in lab.nodes if one.name != node)
    asked = ["stonith_admin", "--history", node, "--verbose", "--output-as=xml"]
    said = survivor.run(asked)
    tree = ElementTree.fromstring(said.stdout)  # noqa: S314 - the cluster's own
    return [event for event in tree.iter("fence_event") if event.get("completed")]


def last_of_history(
    lab: Lab, node: str, before: Sequence[ElementTree.Element]
) -> ElementTree.Element:
    """The entry that was not there before; each fencer hears of the end by itself.

    Earlier scenarios have left theirs: a node that a person confirmed as off.
    """
    known = {tuple(sorted(event.items())) for event in before}
    ends_s = time.monotonic() + HEARD_S
    while True:
        found = history(lab, node)
        new = [one for one in found if tuple(sorted(one.items())) not in known]
        if new:
            return max(new, key=lambda event: event.get("completed", ""))
        assert time.monotonic() < ends_s, "the fencer's history has no new entry"
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("lose", "diagnosis", "most_s"),
    [
        (lose_power_with_the_bmc, "does not answer", 2 * LOGIN_S),
        pytest.param(
            lose_both_networks,
            "does not answer",
            2 * LOGIN_S,
            marks=pytest.mark.long,
        ),
        pytest.param(
            hang_with_a_deaf_bmc,
            "not proven off",
            SHARE * FENCING_S,
            marks=pytest.mark.long,
        ),
        pytest.param(
            answer_the_login_only,
            "stopped answering",
            SHARE * FENCING_S,
            marks=pytest.mark.long,
        ),
    ],
)
def test_a_dead_bmc_is_diagnosed_in_time_and_the_second_level_fences(
    lab: Lab,
    levels: Callable[[str, list[str]], None],
    watch: Watch,
    figures: list[str],
    lose: Callable[[Node], None],
    diagnosis: str,
    most_s: float,
) -> None:
    """Two power supplies in the second level: the node is off when both are."""
    source = lab.cluster.wait_running(GUEST)
    bmc = f"fence-{source}"
    levels(source, [bmc, "rack-a rack-b"])
    before = history(lab, source)
    began_s = time.monotonic()
    lose(lab.node(source))
    story = fenced_and_moved(lab, watch, source, began_s)
    told = answers(story, source, began_s)
    # A second try that has no time left is ended by the fencer: no answer then.
    assert f"{bmc} returned 0" not in told
    racks = [answer for answer in told if answer.startswith("rack")]
    assert racks[:2] == ["rack-a returned 0", "rack-b returned 0"]
    asked = first(story, "device asked", source, began_s, bmc)
    said = [
        event
        for event in story.since(asked.time_s, "agent said")
        if event.result.startswith(("reboot failed", "off failed"))
    ]
    took_s = said[0].time_s - asked.time_s
    level_s = first(story, "device asked", source, began_s, "rack-a").time_s
    proven = first(story, "fencing confirmed", source, began_s, "OK")
    figures.append(
        f"{lose.__name__}: diagnosis after {took_s:.1f} s, second level after "
        f"{level_s - asked.time_s:.1f}, fenced after {proven.time_s - asked.time_s:.1f}"
    )
    assert diagnosis in said[0].result
    assert took_s <= most_s, story.since(began_s)
    off = [e for e in story.since(level_s) if e.kind.startswith("order feed")]
    assert [e.kind for e in off[:2]] == ["order feed a 0", "order feed b 0"]
    entry = last_of_history(lab, source, before)
    assert (entry.get("action"), entry.get("status")) == ("reboot", "success")
    assert entry.get("delegate") not in (None, source)


@pytest.mark.long
def test_a_controller_that_lies_is_contradicted_by_the_device_beside_it(
    lab: Lab, levels: Callable[[str, list[str]], None], watch: Watch
) -> None:
    """Alone it would have let the guest run twice: the node is in good health."""
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    levels(source, [f"fence-{source} rack-a"])
    node.bmc.set_fault("pretend")
    (node.directory / "feeds" / "b").write_text("off\n")
    began_s = time.monotonic()
    node.cut()
    story = fenced_and_moved(lab, watch, source, began_s)
    told = answers(story, source, began_s)
    assert told[:2] == [f"fence-{source} returned 0", "rack-a returned 0"]
    dead = first(story, "dead", source, began_s, "")
    assert dead.time_s < first(story, "start begun", GUEST, began_s, "").time_s


@pytest.mark.long
def test_a_silent_crash_kernel_and_a_dead_path_leave_the_bmc_its_second_path(
    lab: Lab,
    levels: Callable[[str, list[str]], None],
    watch: Watch,
    figures: list[str],
) -> None:
    """fence_kdump waits once; then one call of our agent takes the path that lives."""
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    bmc = f"fence-{source}"
    pcs = lab.cluster.pcs
    pcs("stonith", "update", bmc, f"fallback_ip={node.bmc.second_address}")
    levels(source, ["kdump", bmc])
    try:
        began_s = time.monotonic()
        node.bmc.unplug(node.bmc.address)
        node.crash()
        story = fenced_and_moved(lab, watch, source, began_s)
    finally:
        lab.recover()
        pcs("stonith", "update", bmc, "fallback_ip=")
    told = answers(story, source, began_s)
    assert told == ["kdump returned 1", f"{bmc} returned 0"]
    kdump_s, bmc_s, proven_s = (
        first(story, kind, source, began_s, result).time_s
        for kind, result in (
            ("device asked", "kdump"),
            ("device asked", bmc),
            ("fencing confirmed", "OK"),
        )
    )
    figures.append(
        f"no crash kernel: the BMC has its turn after {bmc_s - kdump_s:.1f} s; "
        f"its first path dead: fenced {proven_s - bmc_s:.1f} s later"
    )
    assert KDUMP_S - 1 <= bmc_s - kdump_s < KDUMP_S + 4, "it was asked twice"
    assert proven_s - bmc_s <= SHARE * FENCING_S
    failed = [
        e for e in story.since(bmc_s, "agent said") if "reboot failed" in e.result
    ]
    assert not failed, "it took more than one call"


def test_a_crash_kernel_that_reports_itself_is_waited_for_and_not_cut(
    lab: Lab, levels: Callable[[str, list[str]], None], watch: Watch
) -> None:
    """The dump goes on: the BMC gets no order, and the guest runs elsewhere."""
    source = lab.cluster.wait_running(GUEST)
    node = lab.node(source)
    levels(source, ["kdump", f"fence-{source}"])
    began_s = time.monotonic()
    node.crash(tells=[other.address for other in lab.nodes if other is not node])
    try:
        story = fenced_and_moved(lab, watch, source, began_s)
        assert answers(story, source, began_s) == ["kdump returned 0"]
        crashed = first(story, "crashed", source, began_s, "")
        proven = first(story, "fencing confirmed", source, began_s, "OK")
        assert crashed.time_s < proven.time_s
        assert node.power() == "on", "the dump was cut off"
    finally:
        node.power_off()  # a real one restarts after its dump
