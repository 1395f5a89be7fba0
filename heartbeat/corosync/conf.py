"""A cluster file as ``corosync.conf``.

Pure. Called by ``vmha render --as corosync``; the file is written, its distribution to
the nodes is left to pcs, csync2 or the administrator. ``corosync -t`` judges. Source:
corosync.conf(5), votequorum(5), corosync-qdevice(8).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.heartbeat.clusterfile.content import ClusterFile, NodeEntry, QDevice

INDENT = "    "
MOST_LINKS = 8
"""knet's limit."""

HEAD = """\
# Written by vmha render from {path}. The same file belongs on every node.
"""


def text(file: ClusterFile) -> str:
    """Return the whole file.

    A node without addresses is found by its name. Node ids follow the names' order.
    """
    ordered = sorted(file.nodes, key=lambda node: node.name)
    parts = [
        HEAD.format(path=file.path),
        _section("totem", _totem(file)),
        _section("nodelist", {}, [_node(n, i) for i, n in enumerate(ordered, 1)]),
        _quorum(file),
        _section("logging", _LOGGING),
    ]
    return "\n".join(parts)


_LOGGING = {
    "to_syslog": "yes",
    "to_logfile": "yes",
    "logfile": "/var/log/corosync/corosync.log",
    "timestamp": "on",
}


def _totem(file: ClusterFile) -> dict[str, str]:
    words = {
        "version": "2",
        "cluster_name": file.name,
        "transport": "knet",
        "crypto_cipher": "aes256",
        "crypto_hash": "sha256",
    }
    if file.token_ms is not None:
        words["token"] = str(file.token_ms)
    return words


def _node(node: NodeEntry, number: int) -> str:
    addresses = node.addresses or (node.name,)
    words = {f"ring{i}_addr": a for i, a in enumerate(addresses[:MOST_LINKS])}
    return _section("node", {**words, "name": node.name, "nodeid": str(number)})


def _quorum(file: ClusterFile) -> str:
    """Two nodes get ``two_node``, unless an arbiter has the odd vote.

    ``wait_for_all`` comes with it: a node that boots alone must not fence the other.
    """
    words = {"provider": "corosync_votequorum"}
    if file.qdevice is not None:
        return _section("quorum", words, [_device(file.qdevice)])
    if file.two_node:
        words |= {"two_node": "1", "wait_for_all": "1"}
    return _section("quorum", words)


def _device(arbiter: QDevice) -> str:
    net = {"host": arbiter.host, "algorithm": arbiter.algorithm, "tls": "on"}
    words = {"model": "net"}
    if arbiter.algorithm == "ffsplit":
        # Any other algorithm takes the default, one vote less than there are nodes
        # (corosync-qdevice(8)); with one vote lms could not keep quorum.
        words["votes"] = "1"
    return _section("device", words, [_section("net", net)])


def _section(
    name: str, words: Mapping[str, str], inner: list[str] | None = None
) -> str:
    """Return a section; Corosync wants its opening brace at the end of the line."""
    lines = [f"{word}: {value}" for word, value in words.items()]
    for part in inner or []:
        lines += part.splitlines()
    body = "".join(f"{INDENT}{line}\n" for line in lines)
    return f"{name} {{\n{body}}}\n"
