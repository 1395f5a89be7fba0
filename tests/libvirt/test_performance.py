"""What a monitor costs, beside VirtualDomain's on the same running guest."""

from __future__ import annotations

import json
import statistics
from typing import Callable

import pytest
from hosts import guests, installed
from hosts.host import Host
from hosts.operation import PEER, Resource
from lab.guest import Guest

Fresh = Callable[..., Guest]
BUDGET = 0.35
CIB = "/run/guests/cib.xml"

# Runs each command in turn and prints, for each, its own and its descendants' CPU time.
METER = """
import json, os, sys
rounds, commands = json.load(sys.stdin)
spent = [[] for _ in commands]
for _ in range(rounds):
    for number, (argv, environ, code) in enumerate(commands):
        pid = os.posix_spawn(argv[0], argv, environ)
        _, status, usage = os.wait4(pid, 0)
        assert os.waitstatus_to_exitcode(status) == code, argv
        spent[number].append(usage.ru_utime + usage.ru_stime)
print(json.dumps(spent))
"""


def measured(
    host: Host, rounds: int, commands: list[tuple[list[str], dict[str, str], int]]
) -> list[float]:
    """Return the median CPU seconds of each command, run alternately."""
    host.path("/run/guests/meter").write_text(METER)
    host.path("/run/guests/plan").write_text(json.dumps([rounds, commands]))
    python = "exec /usr/bin/python3 -I /run/guests/meter < /run/guests/plan"
    done = host.run("sh", "-c", python, timeout_s=200)
    return [statistics.median(row) for row in json.loads(done.stdout.splitlines()[-1])]


def monitor(host: Host, resource: Resource) -> tuple[list[str], dict[str, str], int]:
    environ = resource.environment(host, "monitor", 30, 10, {})
    return [str(resource.agent), "monitor"], {**environ, "CIB_file": CIB}, 0


def put_cib(host: Host, resource: Resource) -> None:
    """Give crm_resource a cluster to write utilization to."""
    empty = host.run("cibadmin", "--empty").stdout
    primitive = (
        f'<resources><primitive id="{resource.instance}" class="ocf" '
        'provider="heartbeat" type="VirtualDomain"/></resources>'
    )
    node = f'<nodes><node id="1" uname="{host.name}"/></nodes>'
    text = empty.replace("<resources/>", primitive).replace("<nodes/>", node)
    assert primitive in text
    host.path(CIB).write_text(text)


@pytest.mark.alone
@pytest.mark.timeout(240)
def test_a_monitor_costs_a_third_of_virtualdomains(
    alpha: Host,
    fresh: Fresh,
    is_long: bool,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guest = fresh()
    ours = guests.resource(installed.install(alpha), guest)
    theirs = guests.resource(PEER, guest)
    put_cib(alpha, theirs)
    assert ours.call(alpha, "start").code == 0
    guests.await_tick(alpha, guest)
    commands = [monitor(alpha, ours), monitor(alpha, theirs)]
    bare = ["/usr/bin/python3", "-I", "-c", "pass"]
    metadata = [str(ours.agent), "meta-data"], commands[0][1], 0
    commands += [metadata, (bare, {}, 0)]
    measured(alpha, 2, commands)

    spent = measured(alpha, 21 if is_long else 5, commands)

    ratio = spent[0] / spent[1]
    figures = [f"{1000 * seconds:.0f} ms" for seconds in spent]
    with capsys.disabled():
        print(
            f"\nCPU of a monitor: {figures[0]}, VirtualDomain {figures[1]}, ratio "
            f"{ratio:.2f}; meta-data {figures[2]}, bare python {figures[3]}"
        )
    assert ratio <= BUDGET
