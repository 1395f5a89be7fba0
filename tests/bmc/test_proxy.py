"""The proxy between an agent and its BMC does what its trouble says, on the wire."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bmc.proxy import TO_AGENT, TO_BMC, Proxy, Trouble
from bmc.simulator import PASSWORD

from vmha.agents.protocol.deadline import Deadline
from vmha.fence.ipmi.access import Access
from vmha.fence.ipmi.session import Session, open_session

if TYPE_CHECKING:
    from bmc.simulator import Simulator


def log_in(proxy: Proxy) -> Session:
    access = Access("127.0.0.1", proxy.port, b"admin", PASSWORD.encode(), (3,))
    return open_session(access, Deadline(5))


def test_a_good_network_passes_everything_on(bmc: Simulator) -> None:
    with Proxy(bmc.port) as proxy:
        session = log_in(proxy)
        assert session.command(0, 1, (), Deadline(5))[0] == 0
        assert session.close(Deadline(1))
    assert proxy.seen[TO_BMC] == proxy.seen[TO_AGENT] == len(proxy.kept) == 7
    assert proxy.dropped == {TO_BMC: 0, TO_AGENT: 0}


def test_two_logins_at_a_time_stay_apart(bmc: Simulator) -> None:
    with Proxy(bmc.port) as proxy:
        sessions = [log_in(proxy) for _ in range(2)]
        for session in sessions:
            assert session.command(0, 1, (), Deadline(5))[0] == 0
        assert all(session.close(Deadline(1)) for session in sessions)
    assert len({kept.peer for kept in proxy.kept}) == 2


def test_delay_counts_in_both_directions(bmc: Simulator) -> None:
    with Proxy(bmc.port, Trouble(delay_s=0.1)) as proxy:
        session = log_in(proxy)
        begin = time.monotonic()
        session.command(0, 1, (), Deadline(5))
        assert 0.2 <= time.monotonic() - begin < 0.6
        assert session.close(Deadline(1))


def test_an_order_that_is_played_again_is_carried_out_again_while_its_session_lasts(
    bmc: Simulator,
) -> None:
    # What ipmi_sim does, and what the agent's fresh session before "on" is for.
    with Proxy(bmc.port) as proxy:
        session = log_in(proxy)
        session.command(0, 2, (0,), Deadline(5))
        session.command(0, 2, (1,), Deadline(5))
        assert bmc.orders() == ["set power 0", "set power 1"]
        proxy.replay(proxy.kept[-2:-1])
        session.command(0, 1, (), Deadline(5))
        assert bmc.orders()[2:] == ["set power 0"]
        assert session.close(Deadline(1))
        proxy.replay()
        log_in(proxy).close(Deadline(1))
    assert len(bmc.orders()) == 3, "a session that is closed carries nothing more"
