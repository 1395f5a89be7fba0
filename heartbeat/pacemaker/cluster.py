"""The live cluster: its CIB read, and changed against the very one that was read.

The one place in heartbeat/ that changes a cluster. Called by apply and undo; diff,
import and the doctor only read. Pacemaker's tools do the work: ``cibadmin``,
``crm_diff``; they take the CIB from CIB_file where the environment names one.
"""

from __future__ import annotations

import os
import tempfile

from lxml import etree

from vmha.agents.protocol import process
from vmha.agents.protocol.errors import AgentError, Refused
from vmha.heartbeat.pacemaker import answers
from vmha.heartbeat.pacemaker.difference import version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from vmha.agents.protocol.deadline import Deadline

ADMIN = ("crmadmin", "--output-as=xml")
REACTION_S = 1.0  # after which Pacemaker has seen a change
PAUSE_S = 0.5
QUIET = 3  # idle so often in a row: between two transitions it is so once

ENVIRONMENT = ("CIB_file", "CIB_shadow", "CIB_shadow_dir")


class Moved(AgentError):
    """The configuration has changed since it was read; nothing was applied."""

    def __init__(self, read: str, found: str) -> None:
        self.read = read
        self.found = found
        super().__init__(
            "the cluster's configuration has changed since the difference was shown: "
            f"version {read} then, {found} now; nothing was applied, look at the "
            "difference again"
        )


class Cluster:
    """The cluster of this node, or the file that CIB_file names.

    Each method raises NotInstalled, Unreachable, or Refused with the tool's words.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = {n: environ[n] for n in ENVIRONMENT if n in environ}

    def read(self, deadline: Deadline) -> etree._Element:
        """Return the CIB with its status."""
        return parsed(self._run(["cibadmin", "--query"], deadline))

    def change(
        self, before: etree._Element, after: etree._Element, deadline: Deadline
    ) -> None:
        """Make ``after`` of ``before`` in one step, or raise Moved.

        The patch carries the versions of both. Pacemaker refuses it where the CIB is
        no longer ``before``, be it one status update later: what was predicted from it
        would then not hold.
        """
        with tempfile.TemporaryDirectory(prefix="vmha-") as folder:
            paths = [os.path.join(folder, name) for name in ("old.xml", "new.xml")]
            for path, cib in zip(paths, (before, after)):
                etree.ElementTree(cib).write(path)
            words = ["crm_diff", "--original", paths[0], "--new", paths[1]]
            patch = process.run(words, deadline)
        if patch.exit_code not in (0, 1) or not patch.stdout:  # 1: they differ
            raise Refused(f"crm_diff failed: {answers.said(patch)}")
        words = ["cibadmin", "--patch", "--xml-pipe"]
        answer = process.run(words, deadline, self._environ, patch.stdout)
        if answer.exit_code == 0:
            return
        found = version(self.read(deadline))
        if found != version(before):
            raise Moved(version(before), found)
        raise Refused(f"Pacemaker refuses the change: {answers.said(answer)}")

    def settle(self, deadline: Deadline) -> bool:
        """Wait until Pacemaker has nothing left to do; tell whether that came about.

        The deciding node is asked for its state. ``crm_resource --wait`` makes a
        calculation of its own instead, without the numbers of resources on each node,
        and waits for moves that nobody intends.
        """
        deadline.sleep(REACTION_S)
        quiet = 0
        while quiet < QUIET and not deadline.expired():
            quiet = quiet + 1 if self._is_idle(deadline) else 0
            deadline.sleep(PAUSE_S)
        return quiet == QUIET

    def _is_idle(self, deadline: Deadline) -> bool:
        """Tell whether there is a deciding node, and it idles (crmadmin(8))."""
        try:
            found = _xml(self._run([*ADMIN, "--dc_lookup"], deadline))
            node = found.find("dc")
            if node is None:
                return False
            name = str(node.get("node_name"))
            state = _xml(self._run([*ADMIN, f"--status={name}"], deadline))
        except (AgentError, etree.XMLSyntaxError):
            return False
        return any(one.get("state") == "S_IDLE" for one in state.iter())

    def _run(self, words: list[str], deadline: Deadline) -> str:
        answer = process.run(words, deadline, self._environ)
        if answer.exit_code != 0:
            raise Refused(f"{words[0]} failed: {answers.said(answer)}")
        return answer.stdout


def _xml(text: str) -> etree._Element:
    return etree.fromstring(text.encode())


def parsed(text: str, source: str = "the cluster's configuration") -> etree._Element:
    """Parse a CIB; entities are not expanded. Raises Refused for what is none."""
    parser = etree.XMLParser(resolve_entities=False, remove_blank_text=True)
    try:
        root = etree.fromstring(text.encode(errors="surrogateescape"), parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"{source} is no XML: {error}") from error
    if root.tag != "cib":
        raise Refused(f"{source} is no CIB: its root is <{root.tag}>")
    return root
