"""A BMC per test, and both agents to call."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from bmc.calls import PEER, Caller
from bmc.listener import Listener
from bmc.simulator import Simulator
from contract import ocf_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bmc.calls import Reachable
    from bmc.plan import Plan

NEEDED = ("ipmi_sim", "ipmitool", "fence_ipmilan", "pacemaker-fenced", "stonith_admin")


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """Fail, rather than skip, where the tier cannot run."""
    where = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/pacemaker:/usr/libexec/pacemaker"
    missing = [name for name in NEEDED if not shutil.which(name, path=where)]
    if missing:
        pytest.exit(f"the bmc tier needs {', '.join(missing)}", returncode=3)


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an OCF root with the checkout's executables."""
    return ocf_root.build(tmp_path_factory.mktemp("root"))


@pytest.fixture
def bmc(tmp_path: Path) -> Iterator[Simulator]:
    """Return a healthy BMC of a node that is on."""
    with Simulator(tmp_path / "bmc") as simulator:
        yield simulator


@pytest.fixture
def fence(root: Path, bmc: Simulator) -> Caller:
    """Return our agent, set up for the BMC."""
    return Caller(root / "sbin/fence_vmha_ipmi", bmc)


@pytest.fixture
def peer(bmc: Simulator) -> Caller:
    """Return fence_ipmilan, set up for the BMC."""
    return Caller(PEER, bmc, lanplus=1, cipher=3)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Listener]]:
    """Return what makes a scripted BMC: see ``Listener`` for what it takes."""
    with ExitStack() as stack:

        def make(plan: Plan | None = None, **more: Any) -> Listener:
            return stack.enter_context(Listener(plan, **more))

        yield make


@pytest.fixture
def agent(root: Path) -> Callable[[Reachable], Caller]:
    """Return what makes our agent, set up for a BMC or what stands for it."""
    return lambda bmc: Caller(root / "sbin/fence_vmha_ipmi", bmc)
