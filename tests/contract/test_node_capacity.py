"""ocf:vmha:NodeCapacity as a process, on a cluster configuration in a file.

Pacemaker's tools work on ``CIB_file`` as they do on a cluster, node attributes apart.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from contract import ocf_root
from lxml import etree

NOTES = Path("/run/vmha/capacity")
EMPTY = """\
<cib validate-with="pacemaker-3.7" epoch="1" num_updates="0" admin_epoch="0">
<configuration><crm_config/><nodes><node id="1" uname="n1"/><node id="2" uname="n2"/>
</nodes><resources><primitive id="web" class="ocf" provider="vmha"
type="VirtualMachine"/></resources><constraints/></configuration><status/></cib>
"""


class Agent:
    """One instance of the agent on node n1, and the configuration it works on."""

    def __init__(self, path: Path, cib: Path, instance: str) -> None:
        self._path = path
        self._cib = cib
        self.instance = instance
        self._cib.write_text(EMPTY)
        self._cib.chmod(0o600)

    def __call__(
        self,
        action: str,
        parameters: Mapping[str, str] | None = None,
        interval_s: int = 0,
        level: int = 0,
    ) -> subprocess.CompletedProcess[str]:
        given = {f"OCF_RESKEY_{n}": text for n, text in (parameters or {}).items()}
        environ = {
            "OCF_RESOURCE_INSTANCE": self.instance,
            "OCF_RESKEY_CRM_meta_on_node": "n1",
            "OCF_RESKEY_CRM_meta_timeout": "8000",
            "OCF_RESKEY_CRM_meta_interval": str(interval_s * 1000),
            "OCF_CHECK_LEVEL": str(level),
            "HA_LOGFACILITY": "none",
            "CIB_file": str(self._cib),
            **given,
        }
        return subprocess.run(
            [str(self._path), action],
            env=environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd="/",
        )

    def capacity(self, node: str = "n1") -> dict[str, str]:
        """Return what is advertised in the configuration."""
        found = etree.parse(str(self._cib)).findall(f".//node[@uname='{node}']//nvpair")
        return {str(p.get("name")): str(p.get("value")) for p in found}

    def set(self, name: str, value: str) -> None:
        """Set a figure as an administrator would."""
        subprocess.run(
            ["crm_attribute", "-z", "--node", "n1", "--name", name, "--update", value],
            env={**os.environ, "CIB_file": str(self._cib)},
            check=True,
            timeout=30,
            capture_output=True,
        )

    @property
    def epoch(self) -> str:
        """The number of the configuration, which every change raises."""
        return str(etree.parse(str(self._cib)).getroot().get("epoch"))

    def lose(self) -> None:
        """Make the configuration unreadable."""
        self._cib.write_text("none")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    if os.geteuid() != 0:
        pytest.skip("needs root: the agent's notes are in /run")
    root = ocf_root.build(tmp_path)
    path = root / "resource.d/vmha/NodeCapacity"
    one = Agent(path, tmp_path / "cib.xml", f"capacity-{os.getpid()}")
    yield one
    (NOTES / one.instance).unlink(missing_ok=True)


def test_starting_it_advertises_processors_and_memory(agent: Agent) -> None:
    assert agent("monitor").returncode == 7
    done = agent("start", {"reserve_memory": "100", "guest_slots": "12"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 - 100
    assert agent.capacity() == {
        "cpu": str(os.cpu_count()),
        "host_memory": str(memory),
        "hv_memory": str(memory),
        "guests": "12",
    }
    assert agent.capacity("n2") == {}
    assert agent("monitor").returncode == 0
    assert agent("start").returncode == 0


def test_nothing_is_written_unless_a_figure_has_changed(agent: Agent) -> None:
    assert agent("start").returncode == 0
    assert "guests" not in agent.capacity()
    before = agent.epoch
    for _ in range(2):
        assert agent("monitor", interval_s=60).returncode == 0
    assert agent.epoch == before
    agent.set("cpu", "1000")
    assert agent("monitor", interval_s=60).returncode == 0
    assert agent.capacity()["cpu"] == str(os.cpu_count())


def test_changed_parameters_are_taken_up_without_a_restart(agent: Agent) -> None:
    assert agent("start").returncode == 0
    assert agent("reload-agent", {"cpu_ratio": "4.0"}).returncode == 0
    assert agent.capacity()["cpu"] == str(4 * (os.cpu_count() or 1))


def test_what_is_advertised_stays_when_the_agent_stops(agent: Agent) -> None:
    assert agent("start", {"guest_slots": "3"}).returncode == 0
    before = agent.capacity()
    for _ in range(2):
        assert agent("stop").returncode == 0
    assert agent("monitor").returncode == 7
    assert agent.capacity() == before
    assert agent("start").returncode == 0
    assert agent.capacity()["guests"] == "3"


@pytest.mark.parametrize(
    ("name", "value"), [("cpu_ratio", "0"), ("reserve_cpu", "x"), ("guest_slots", "-1")]
)
def test_a_bad_value_is_refused_by_start_and_survived_by_the_rest(
    agent: Agent, name: str, value: str
) -> None:
    for action in ("start", "validate-all"):
        done = agent(action, {name: value})
        assert done.returncode == 6
        assert f"{name}='{value}'" in done.stderr
    assert agent.capacity() == {}
    assert agent("start", {"guest_slots": "3"}).returncode == 0
    before = agent.capacity()
    for action in ("monitor", "reload-agent"):
        assert agent(action, {name: value}, 60).returncode == 0
    assert agent.capacity() == before
    assert agent("stop", {name: value}).returncode == 0


def test_a_cluster_that_does_not_answer_is_shown_and_restarts_nothing(
    agent: Agent,
) -> None:
    assert agent("start").returncode == 0
    agent.lose()
    done = agent("monitor", interval_s=60)
    assert done.returncode == 190
    assert "what was told before stays" in done.stderr
    assert agent("reload-agent").returncode == 0
    assert agent("monitor").returncode == 0
    assert agent("start").returncode == 1
    assert agent("stop").returncode == 0


def test_validation_knows_the_guests_of_the_cluster_from_level_10(agent: Agent) -> None:
    assert agent("validate-all", {"can_host": "web mail"}).returncode == 0
    assert agent("validate-all", {"can_host": "web"}, level=10).returncode == 0
    done = agent("validate-all", {"can_host": "web mail"}, level=10)
    assert done.returncode == 6
    assert "mail is no ocf:vmha:VirtualMachine" in done.stderr


@pytest.mark.parametrize("action", ["promote", "notify", "migrate_to", ""])
def test_an_action_it_does_not_have_is_3(agent: Agent, action: str) -> None:
    assert agent(action).returncode == 3
