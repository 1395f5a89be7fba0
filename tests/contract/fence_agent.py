"""A fence agent's executable as it is called, and its metadata beside its peer's."""

from __future__ import annotations

import os
import subprocess
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from contract import ocf_root

if TYPE_CHECKING:
    from pathlib import Path

GRAMMAR = "/usr/share/cluster/relaxng/metadata.rng"


class Agent:
    """The executable, called with stdin and arguments."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(
        self, text: str = "", *arguments: str, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.path, *arguments],
            check=False,
            input=text,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=60,
            env={"PATH": os.environ["PATH"], **environ},
        )


def golden_of(name: str) -> Path:
    """Return where an agent's metadata is recorded."""
    return ocf_root.CHECKOUT / f"tests/data/metadata/{name}.xml"


def assert_follows_the_grammar(golden: Path) -> None:
    """Check recorded metadata by the grammar of fence-agents."""
    command = ["xmllint", "--noout", "--relaxng", GRAMMAR, str(golden)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def assert_has_all_of(peer: str, golden: Path) -> list[ET.Element]:
    """Check that a peer's parameters and options are ours; return its parameters."""
    done = subprocess.run(
        [peer, "-o", "metadata"], check=True, capture_output=True, text=True
    )
    theirs = ET.fromstring(done.stdout)  # noqa: S314 - both are ours to trust
    ours = ET.parse(golden).getroot()  # noqa: S314
    names = {p.get("name") for p in theirs.iter("parameter")}
    assert names <= {p.get("name") for p in ours.iter("parameter")}
    for parameter in theirs.iter("parameter"):
        name = parameter.get("name")
        (own,) = [p for p in ours.iter("parameter") if p.get("name") == name]
        flags = [flags_of(p) for p in (parameter, own)]
        assert flags[0] <= flags[1], name
    return list(theirs.iter("parameter"))


def flags_of(parameter: ET.Element) -> set[str]:
    """Return the command-line flags of a parameter in the metadata."""
    option = parameter.find("getopt")
    assert option is not None
    words = (option.get("mixed") or "").replace(",", " ").split()
    return {word.partition("=")[0] for word in words}


def loaded_for_metadata(agent: Agent) -> set[str]:
    """Return the modules that are imported to print the metadata."""
    # -X importtime names each module that is imported, on stderr.
    command = ["/usr/bin/python3", "-I", "-X", "importtime", str(agent.path)]
    text = "action=metadata\n"
    done = subprocess.run(
        command, check=True, input=text, capture_output=True, text=True
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
