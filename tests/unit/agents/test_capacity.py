"""What a node advertises: arithmetic, and what the kernel says is online."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from vmha.agents.capacity import advertised
from vmha.agents.capacity.host import Host, count
from vmha.agents.capacity.judgement import LOOKS, NO, YES, Finding, judge
from vmha.agents.capacity.parameters import PARAMETERS
from vmha.agents.protocol import parameters
from vmha.agents.protocol.errors import BadParameter, Unreachable

CPUS = some.integers(0, 4096)


@pytest.mark.parametrize(
    ("online", "reserved", "ratio", "expected"),
    [
        (8, 0, "1.0", 8),
        (8, 2, "1.0", 6),
        (8, 2, "4.0", 24),
        (8, 9, "4.0", 0),
        (10, 0, "1.1", 11),
        (3, 0, "0.5", 1),
        (64, 4, "16", 960),
        (7, 0, "1.25", 8),
    ],
)
def test_processors_after_reservation_times_the_ratio_rounded_down(
    online: int, reserved: int, ratio: str, expected: int
) -> None:
    assert advertised.cpu(online, reserved, ratio) == expected


@given(CPUS, CPUS, some.integers(1, 99999))
def test_a_processor_more_never_lowers_and_a_reservation_never_raises(
    online: int, reserved: int, hundredths: int
) -> None:
    ratio = f"{hundredths // 100}.{hundredths % 100:02}"
    now = advertised.cpu(online, reserved, ratio)
    assert 0 <= now <= advertised.cpu(online + 1, reserved, ratio)
    assert now >= advertised.cpu(online, reserved + 1, ratio)
    assert now * 100 <= online * hundredths


@pytest.mark.parametrize(
    ("online", "reserved", "expected"), [(4096, 512, 3584), (256, 512, 0), (5, 0, 5)]
)
def test_memory_is_what_the_reservation_leaves(
    online: int, reserved: int, expected: int
) -> None:
    assert advertised.memory_mib(online, reserved) == expected


@given(some.sets(some.integers(0, 200), min_size=1))
def test_processors_are_counted_in_the_kernels_own_form(cpus: set[int]) -> None:
    ordered, parts, at = sorted(cpus), [], 0
    while at < len(ordered):
        end = at
        while end + 1 < len(ordered) and ordered[end + 1] == ordered[end] + 1:
            end += 1
        first, last = ordered[at], ordered[end]
        parts.append(f"{first}-{last}" if last > first else f"{first}")
        at = end + 1
    assert count(",".join(parts)) == len(cpus)


def host(folder: Path, online: str, meminfo: str) -> Host:
    cpu = folder / "sys/devices/system/cpu"
    cpu.mkdir(parents=True)
    (cpu / "online").write_text(online)
    (folder / "proc").mkdir()
    (folder / "proc/meminfo").write_text(meminfo)
    return Host(str(folder))


def test_the_host_reads_what_is_online(tmp_path: Path) -> None:
    node = host(tmp_path, "0-1,3\n", "MemFree: 1 kB\nMemTotal:   2097660 kB\n")
    assert (node.online_cpus(), node.memory_mib()) == (3, 2048)


def test_what_cannot_be_read_is_unreachable_and_not_zero(tmp_path: Path) -> None:
    for node in (Host(str(tmp_path / "no")), host(tmp_path, "many\n", "MemTotal:\n")):
        with pytest.raises(Unreachable):
            node.online_cpus()
        with pytest.raises(Unreachable):
            node.memory_mib()


@pytest.mark.parametrize(
    ("finding", "before", "expected"),
    [
        (Finding.HERE, 0, (YES, 0)),
        (Finding.HERE, 2, (YES, 0)),
        (Finding.POSSIBLE, 2, (YES, 0)),
        (Finding.IMPOSSIBLE, 0, (NO, 0)),
        (Finding.UNDECIDED, 0, (None, 0)),
        (Finding.UNDECIDED, 9, (None, 0)),
        (Finding.UNANSWERED, 0, (None, 1)),
        (Finding.UNANSWERED, 1, (None, 2)),
        (Finding.UNANSWERED, 2, (NO, 3)),
        (Finding.UNANSWERED, 9, (NO, 10)),
    ],
)
def test_a_look_becomes_an_attribute(
    finding: Finding, before: int, expected: tuple[str | None, int]
) -> None:
    assert judge(finding, before) == expected


@given(some.lists(some.sampled_from(Finding), max_size=30))
def test_zero_needs_a_reason_or_three_silences_and_never_a_guest_that_may_be_here(
    looks: list[Finding],
) -> None:
    silent = 0
    for at, finding in enumerate(looks):
        value, silent = judge(finding, silent)
        if value == NO:
            last = looks[max(0, at + 1 - LOOKS) : at + 1]
            silences = last == [Finding.UNANSWERED] * LOOKS
            assert finding is Finding.IMPOSSIBLE or silences


ROWS: dict[str, tuple[str | None, list[str], list[str]]] = {
    "reserve_cpu": ("0", ["0", "8"], ["-1", "1.5", "one"]),
    "reserve_memory": ("512", ["0", "4096"], ["-1", "4G"]),
    "cpu_ratio": (
        "1.0",
        ["4", "4.0", "0.5", "9999.9999"],
        ["0", "0.0", "-1", "1.", ".5", "1,5", "x", "1.0.0", "1e3", "٣", "12345"],
    ),
    "guest_slots": ("0", ["0", "20"], ["-1", "many"]),
    "can_host": (None, ["all", "web db"], []),
}


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: str(p.name))
def test_every_parameter_has_its_default_and_is_reloadable(
    parameter: parameters.Parameter,
) -> None:
    default, good, bad = ROWS[parameter.name]
    assert (parameter.default, parameter.reloadable) == (default, True)
    for text in good:
        values = parameters.read(PARAMETERS, {parameter.name: text})
        assert values.text(parameter.name) == text
    for text in bad:
        with pytest.raises(BadParameter, match=parameter.name):
            parameters.read(PARAMETERS, {parameter.name: text}).text(parameter.name)
