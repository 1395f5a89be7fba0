"""A bad network is as bad as it says, and the same for the same seed."""

from __future__ import annotations

import statistics

from bmc.proxy import TO_AGENT, TO_BMC, Fate, Trouble

LOGIN = b"\x06\0\xff\x07\x06\x10" + bytes(10)
PACKETS = 4000


def delays(
    trouble: Trouble, way: str = TO_BMC, count: int = PACKETS
) -> list[list[float]]:
    fate = Fate(trouble, way)
    return [fate.delays(LOGIN, 0.0) for _ in range(count)]


def test_the_same_seed_gives_the_same_packet_the_same_fate() -> None:
    trouble = Trouble(loss=0.2, twice=0.2, late=0.2, jitter_s=0.1, seed=7)
    assert delays(trouble) == delays(trouble)
    assert delays(trouble) != delays(trouble, TO_AGENT)
    assert delays(trouble) != delays(Trouble(loss=0.2, twice=0.2, seed=8))


def test_a_good_network_does_nothing() -> None:
    assert delays(Trouble(), count=10) == [[0.0]] * 10


def test_shares_are_kept() -> None:
    fates = delays(Trouble(loss=0.1, twice=0.2, late=0.3, late_s=2))
    lost = sum(not each for each in fates) / PACKETS
    twice = sum(len(each) == 2 for each in fates) / PACKETS / (1 - lost)
    late = [each[0] for each in fates if each and each[0] > 0]
    assert abs(lost - 0.1) < 0.03
    assert abs(twice - 0.2) < 0.03
    assert abs(len(late) / PACKETS / (1 - lost) - 0.3) < 0.03
    assert abs(statistics.mean(late) - 1.0) < 0.1
    assert max(late) <= 2


def test_silence_has_a_direction_and_a_time() -> None:
    fate = Fate(Trouble(silences=((1, 2),), one_way=TO_AGENT), TO_AGENT)
    assert [bool(fate.delays(LOGIN, at_s)) for at_s in (0.5, 1, 1.9, 2)] == [1, 0, 0, 1]
    fate = Fate(Trouble(silences=((1, 2),), one_way=TO_AGENT), TO_BMC)
    assert fate.delays(LOGIN, 1.5)
    fates = delays(Trouble(deaf_after=3), count=5)
    assert [bool(each) for each in fates] == [True] * 3 + [False] * 2
    assert all(delays(Trouble(deaf_after=3), TO_AGENT, count=5))


def test_every_session_falls_silent_after_its_packets() -> None:
    fate = Fate(Trouble(session_packets=2), TO_BMC)
    sessions = [LOGIN[:6] + bytes((number, 0, 0, 0)) + bytes(6) for number in (1, 2)]
    for packet in sessions:
        assert [bool(fate.delays(packet, 0)) for _ in range(3)] == [True, True, False]
    assert fate.delays(LOGIN, 0), "logging in goes on"


def test_a_trouble_says_what_is_unusual_in_it() -> None:
    assert str(Trouble(loss=0.1, seed=3)) == "loss=0.1, seed=3"
