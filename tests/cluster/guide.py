"""The guide from bare machines as a list of steps: what is typed, and where.

Called by test_guide, and by test_disasters for the blocks of its page. A block of
docs/getting-started.md is taken as it stands, except that node3 is left out, as the
guide tells those to do who have two nodes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = "getting-started.md"
BLOCK = re.compile(
    r"^(#+) ([^\n]*)$|^```([^\n]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
PLACE = re.compile(r"^# on (.*)\n", re.MULTILINE)
OTHERS = {"pcs": "With crm", "crm": "With pcs"}
LAST = "Two nodes"


class Step(NamedTuple):
    """What is typed on which machine, in the guide's words for it."""

    where: str
    text: str


def steps(shell: str) -> Iterator[Step]:
    """Everything that a reader types who has two nodes and likes this shell."""
    for heading, kind, body in blocks():
        if heading in (OTHERS[shell], LAST):
            continue
        if kind in ("sh setup", f"sh {shell}"):
            yield Step("node1", for_two(body))
        elif kind == "sh nodes":
            _, *parts = PLACE.split(for_two(body))
            for where, text in zip(parts[::2], parts[1::2]):
                if where != "node3":
                    yield Step(where, _packages(text, shell))


def domain() -> str:
    """The guest's definition, of a guest that needs no KVM."""
    (text,) = [body for _, kind, body in blocks() if kind == "xml"]
    assert "type='kvm'" in text
    return text.replace("type='kvm'", "type='qemu'")


def blocks(page: str = PAGE) -> Iterator[tuple[str, str, str]]:
    """Yield each block of a page: the heading above, the kind, the text."""
    heading = ""
    for found in BLOCK.finditer((DOCS / page).read_text(encoding="utf-8")):
        if found[1]:
            heading = found[2]
        else:
            yield heading, found[3], found[4]


def for_two(body: str) -> str:
    """Leave node3 out, and tell Corosync that there are two."""
    body = re.sub(
        r"^    node \{\n        name: node3\n.*?\}\n", "", body, flags=re.M | re.S
    )
    body = body.replace("votequorum\n", "votequorum\n    two_node: 1\n")
    lines = [line for line in body.splitlines() if not _is_of_node3(line)]
    return "".join(
        f"{re.sub(r' (and )?node3( addr=[0-9.]+)?', '', x)}\n" for x in lines
    )


def _is_of_node3(line: str) -> bool:
    """Whether nothing of a line is left without node3."""
    return "fence-node3" in line or "bmc-node3" in line or line.endswith(".3 node3")


def _packages(text: str, shell: str) -> str:
    """The other shell's package, for who likes it better."""
    return text.replace(" pcs libvirt", " crmsh libvirt") if shell == "crm" else text
