"""The resource agents' recorded metadata: one command records a wanted change.

    PYTHONPATH=tests /usr/bin/python3 -m contract.golden

from the top of the checkout.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from contract import ocf_root

FOLDER = ocf_root.CHECKOUT / "tests/data/metadata"
AGENTS = sorted(p.name for p in (ocf_root.CHECKOUT / "agents/resource.d").iterdir())
RECORD = "PYTHONPATH=tests /usr/bin/python3 -m contract.golden"


def shown(root: Path, agent: str) -> str:
    """Return what an agent of a temporary OCF root prints."""
    done = subprocess.run(
        [str(root / "resource.d/vmha" / agent), "meta-data"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        env={},
    )
    return done.stdout


def record() -> None:
    """Write down what the agents of this checkout say."""
    with tempfile.TemporaryDirectory() as folder:
        root = ocf_root.build(Path(folder))
        for agent in AGENTS:
            (FOLDER / f"{agent}.xml").write_text(shown(root, agent), encoding="utf-8")


if __name__ == "__main__":
    record()
