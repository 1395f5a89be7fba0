"""A guest asked for on the command line needs what it would need in the file."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from vmha.heartbeat.command import main
from vmha.heartbeat.command.streams import Streams

NODES = "".join(
    f"  n{n}: {{capacity: {{cpu: 8, memory_mib: 8192}}}}\n" for n in (1, 2, 3)
)
FILE = f"""\
cluster: {{name: ov}}
nodes:
{NODES}guests:
  a: {{domain: a, cpu: 1, memory_mib: 1024, runs_on: n1}}
policy: {{tolerate: 1, guest_overhead_mib: 512}}
"""


def answer(tmp_path: Path, *words: str) -> tuple[int, str, str]:
    path = tmp_path / "vmha.yaml"
    path.write_text(FILE)
    out, err = io.StringIO(), io.StringIO()
    first, *more = words
    line = (first, str(path), *more, "--no-confirm")
    code = main.run(line, Streams(out, err, {}))
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("option", "fits", "too_large"),
    [("--add", "z=1,7680", "z=1,7681"), ("--resize", "a=1,7680", "a=1,7681")],
)
def test_the_overhead_counts_for_a_guest_that_is_asked_about(
    tmp_path: Path, option: str, fits: str, too_large: str
) -> None:
    assert answer(tmp_path, "whatif", option, fits)[0] == 0
    assert answer(tmp_path, "whatif", option, too_large)[0] == 1


def test_a_guest_that_keeps_its_memory_gets_no_second_overhead(tmp_path: Path) -> None:
    code, out, _ = answer(tmp_path, "whatif", "--resize", "a=2,", "--json")
    assert code == 0
    assert json.loads(out)["headroom"]["n1"] == {"cpu": 6, "memory_mib": 8192 - 1536}


def test_the_overhead_counts_for_each_guest_that_is_to_fit(tmp_path: Path) -> None:
    _, out, _ = answer(tmp_path, "plan", "--fit", "1,7680", "--json")
    assert json.loads(out)["fit"] == 1
    _, out, _ = answer(tmp_path, "plan", "--fit", "1,7681", "--json")
    assert json.loads(out)["fit"] == 0
    assert (
        "7681 MiB (and 512 MiB overhead) fit"
        in answer(tmp_path, "plan", "--fit", "1,7681")[1]
    )


@pytest.mark.parametrize(
    ("words", "accepted"),
    [
        (("whatif", "--add", "z=1,2147483648"), "1 to 2147483647 MiB"),
        (("whatif", "--add", "z=2147483648,1"), "0 to 2147483647 CPUs"),
        (("whatif", "--resize", "a=,2147483648"), "1 to 2147483647 MiB"),
        (("whatif", "--resize", "a=,0"), "1 to 2147483647 MiB"),
        (("whatif", "--add", "z=1,1", "--priority", "1000000"), "-999999 to 999999"),
        (("plan", "--fit", "1,2147483648"), "1 to 2147483647 MiB"),
    ],
)
def test_what_the_file_would_refuse_is_refused(
    tmp_path: Path, words: tuple[str, ...], accepted: str
) -> None:
    code, _, err = answer(tmp_path, *words)
    assert code == 2
    assert accepted in err
