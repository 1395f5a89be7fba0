"""``corosync.conf`` as nested sections, and what of it decides over quorum and time.

Pure. Called by live planning (two_node and qdevice stand in no CIB), by import and by
the doctor. Sections may repeat, so each is a list.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PATH = "/etc/corosync/corosync.conf"


@dataclass
class Section:
    """One section: its words, and the sections in it by their name."""

    words: dict[str, str] = field(default_factory=dict)
    inner: dict[str, list[Section]] = field(default_factory=dict)

    def first(self, *path: str) -> Section:
        """Return the first section at a path; an empty one where there is none."""
        found = self
        for name in path:
            found = found.inner.get(name, [Section()])[0]
        return found


class BadConf(ValueError):
    """A line is no part of a corosync.conf; ``line`` is its number."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        super().__init__(f"line {line} of corosync.conf is not understood: {text!r}")


def parse(text: str) -> Section:
    """Return the file's sections; raises BadConf."""
    stack = [Section()]
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.endswith("{"):
            made = Section()
            stack[-1].inner.setdefault(line[:-1].strip(), []).append(made)
            stack.append(made)
        elif line == "}" and len(stack) > 1:
            stack.pop()
        elif ":" in line:
            name, _, value = line.partition(":")
            stack[-1].words[name.strip()] = value.strip()
        else:
            raise BadConf(number, line)
    if len(stack) > 1:
        raise BadConf(len(text.splitlines()), "the end, before a section's")
    return stack[0]


def has_two_node(conf: Section) -> bool:
    """Tell whether votequorum lets one of two nodes go on."""
    return conf.first("quorum").words.get("two_node") == "1"


def qdevice_host(conf: Section) -> str | None:
    """Return the host of the arbiter, None without one."""
    return conf.first("quorum", "device", "net").words.get("host")


def has_last_man(conf: Section) -> bool:
    """Tell whether the arbiter lets the last node go on: lms with its own votes.

    With fewer votes than corosync-qdevice(8) gives by itself it could not.
    """
    device = conf.first("quorum", "device")
    is_lms = device.first("net").words.get("algorithm") == "lms"
    return is_lms and "votes" not in device.words


def token_ms(conf: Section) -> int | None:
    """Return the configured token, None where the default holds."""
    text = conf.first("totem").words.get("token", "")
    return int(text) if text.isdigit() else None


def addresses(conf: Section) -> dict[str, tuple[str, ...]]:
    """Return each node's addresses by its name, link by link."""
    found = {}
    for node in conf.first("nodelist").inner.get("node", []):
        links = sorted(n for n in node.words if n.startswith("ring"))
        rings = tuple(node.words[n] for n in links if n.endswith("_addr"))
        name = node.words.get("name") or (rings[0] if rings else "")
        if name:
            found[name] = rings
    return found
