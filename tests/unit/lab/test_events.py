"""The story of a failover is read from Pacemaker's own log lines."""

from __future__ import annotations

import calendar

from lab.events import Event, Story, parse

MIDNIGHT = calendar.timegm((2026, 11, 21, 0, 0, 0))
STAMP = "Nov 21 00:00:0"
LOG = "\n".join(
    STAMP + line
    for line in (
        "4.201 node1 pacemaker-controld  [54] (update_peer_state_iter) \tnotice: "
        "Node node2 state is now lost | nodeid=2 previous=member",
        "4.204 node1 pacemaker-attrd     [52] (update_peer_state_iter) \tnotice: "
        "Node node2 state is now lost | nodeid=2",
        "5.241 node1 pacemaker-controld  [54] (controld_execute_fence_action) \t"
        "notice: Requesting fencing (reboot) of node node2 | action=1 timeout=60000",
        "5.242 node3 pacemaker-controld  [46] (execute_fence_action) \t"
        "notice: Requesting fencing (off) targeting node node9 | action=1",
        "5.601 node3 pacemaker-fenced    [42] (finalize_op) \tnotice: Operation "
        "'reboot' targeting node2 by node3 for pacemaker-controld.54@node1: "
        "OK (complete) | id=7b",
        "5.621 node3 pacemaker-execd     [43] (log_execute) \tinfo: executing - "
        "rsc:web1 action:start call_id:28",
        "6.029 node3 pacemaker-execd     [43] (log_finished) \tinfo: web1 start "
        "(call 28, PID 228) exited with status 0 (execution time 404ms)",
        "6.500 node3 pacemaker-execd     [43] (log_finished) \tinfo: fence-node2 "
        "stop (call 9) exited with status 1 (Error) (execution time 2ms)",
        "7.100 node1 pacemaker-fenced    [42] (request_peer_fencing) \tnotice: "
        "Requesting that node3 perform 'reboot' action targeting node2 using fence-2 "
        "| for client pacemaker-controld.54 (72s)",
        "8.200 node3 pacemaker-fenced    [42] (log_action) \twarning: "
        "fence_vmha_ipmi[14] stderr: [ reboot failed: the BMC [::1] is silent ]",
        "8.300 node3 pacemaker-fenced    [42] (log_async_result) \terror: Operation "
        "'reboot' [17] targeting node2 using fence-2 returned 1 | call 2 from x",
        "not a line of the log at all",
    )
)


def story() -> Story:
    return Story(parse(LOG, 2026, MIDNIGHT))


def test_each_stage_is_found_with_its_time_and_its_subject() -> None:
    found = story()
    assert [(event.kind, event.subject, event.result) for event in found.events] == [
        ("lost", "node2", ""),
        ("fencing requested", "node2", ""),
        ("fencing requested", "node9", ""),
        ("fencing confirmed", "node2", "OK"),
        ("start begun", "web1", ""),
        ("start ended", "web1", "0"),
        ("stop ended", "fence-node2", "1"),
        ("device asked", "node2", "fence-2"),
        ("agent said", "fence_vmha_ipmi", "reboot failed: the BMC [::1] is silent"),
        ("device answered", "node2", "fence-2 returned 1"),
    ]
    lost = found.first("lost", "node2")
    assert lost is not None
    assert abs(lost.time_s - 4.201) < 1e-3
    assert lost.by == "node1"


def test_a_stage_is_looked_for_from_an_instant_on() -> None:
    assert story().first("start ended", "web1", 6.0) is not None
    assert story().first("start ended", "web1", 6.1) is None
    assert story().first("stop ended", "fence-node2", result="0") is None


def test_events_are_told_in_order() -> None:
    late, early = Event(2.0, "b", "x", "n"), Event(1.0, "a", "x", "n")
    assert Story([late, early]).events == [early, late]
    assert Story([late, early]).since(1.5) == [late]
    assert Story([late, early]).since(0.0, "a") == [early]
