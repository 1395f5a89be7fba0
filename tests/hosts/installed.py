"""The agents as a package would install them: readable by anybody, bytecode their own.

A checkout may lie where only its owner can look, and the copies of the contract tier
lead back to it; tools that run the agent as nobody, and measurements of CPU, want an
installation.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from contract.ocf_root import CHECKOUT, FIRST_LINE

from hosts.host import Host

ROOT = "/run/ocf"
AGENT = Path(ROOT, "resource.d/vmha/VirtualMachine")


def install(host: Host) -> Path:
    """Install the agents inside a host, once, and return the agent's path there."""
    inside = host.path(str(AGENT))
    if inside.exists():
        return AGENT
    library = host.path(f"{ROOT}/lib/vmha/agents")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(CHECKOUT / "agents", library, ignore=ignored)
    text = (CHECKOUT / "agents/resource.d/VirtualMachine").read_text()
    see = f"import sys; sys.path.insert(0, '{ROOT}/lib')\n"
    inside.parent.mkdir(parents=True)
    inside.write_text(FIRST_LINE + see + text.removeprefix(FIRST_LINE))
    inside.chmod(0o755)
    return AGENT
