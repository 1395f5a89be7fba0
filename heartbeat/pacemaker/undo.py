"""What apply changed, kept so that it can be taken back; and the taking back.

One file for each apply, in a folder of root's own: a configuration names addresses and
accounts. Kept is each element that changed, as it was and as it became. Taking back
changes exactly those, and only where each still is as apply left it: what others have
changed since is never undone with it.
"""

from __future__ import annotations

import copy
import os
from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.pacemaker.target import canonical

FOLDER = "/var/lib/vmha/undo"
KEPT = 20
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


class Step(NamedTuple):
    """One changed element: where it stands, and it before and after (None: absent).

    ``container`` is the path from <cib> to the element's parent; ``next_id`` is the
    element before which it stood.
    """

    container: str
    ident: str
    before: etree._Element | None
    after: etree._Element | None
    next_id: str


def steps(before: etree._Element, after: etree._Element) -> list[Step]:
    """Return what differs between two CIBs, element by element; pure."""
    old, new = _elements(before), _elements(after)
    found = []
    for key in dict.fromkeys([*old, *new]):
        was, becomes = old.get(key), new.get(key)
        if _is(was, becomes):
            continue
        following = was.getnext() if was is not None else None
        next_id = str(following.get("id")) if following is not None else ""
        found.append(Step(key[0], key[1], was, becomes, next_id))
    return found


def _elements(cib: etree._Element) -> dict[tuple[str, str], etree._Element]:
    """Return every element that is taken back as a whole, by place and id."""
    found = {}
    root = cib.find("configuration")
    for part in root if root is not None else ():
        if part.tag == "crm_config":
            for one in part.iterfind("cluster_property_set"):
                own = f"cluster_property_set[@id='{one.get('id')}']"
                place = f"configuration/crm_config/{own}"
                found.update({(place, str(pair.get("id"))): pair for pair in one})
        elif isinstance(part.tag, str):
            place = f"configuration/{part.tag}"
            found.update({(place, str(one.get("id"))): one for one in part})
    return found


def undone(
    live: etree._Element, made: list[Step], force: bool = False
) -> tuple[etree._Element, list[str]]:
    """Return the CIB with the steps taken back, and what was changed since; pure.

    What was changed since is left as it is, unless ``force``.
    """
    cib = copy.deepcopy(live)
    changed = []
    elements = _elements(cib)
    for step in reversed(made):
        present = elements.get((step.container, step.ident))
        if not _is(present, step.after) and not force:
            if not _is(present, step.before):
                changed.append(step.ident)
            continue
        _restore(cib, step, present)
    return cib, sorted(changed)


def _is(one: etree._Element | None, other: etree._Element | None) -> bool:
    if one is None or other is None:
        return one is other
    return canonical(one) == canonical(other)


def _restore(cib: etree._Element, step: Step, present: etree._Element | None) -> None:
    parent = _container(cib, step.container)
    if step.before is None:
        if present is not None:
            parent.remove(present)
            if parent.tag == "fencing-topology" and not len(parent):
                _configuration(cib).remove(parent)
        return
    former = copy.deepcopy(step.before)
    if present is not None:
        parent.replace(present, former)
        return
    following = next((c for c in parent if c.get("id") == step.next_id), None)
    if following is not None:
        following.addprevious(former)
    else:
        parent.append(former)


def _container(cib: etree._Element, place: str) -> etree._Element:
    found = cib.find(place)
    if found is not None:
        return found
    tag = place.removeprefix("configuration/")
    name = tag.partition("[")[0].rpartition("/")[2]
    return etree.SubElement(_configuration(cib), name)


def _configuration(cib: etree._Element) -> etree._Element:
    found = cib.find("configuration")
    return etree.SubElement(cib, "configuration") if found is None else found


class Journal:
    """The files of one folder, the newest last."""

    def __init__(self, folder: str = FOLDER) -> None:
        self._folder = folder

    def write(self, made: list[Step], words: dict[str, str]) -> str:
        """Keep the steps of one apply; ``words`` say when and from which file.

        Returns the path; OSError where the folder cannot be written.
        """
        from vmha.agents.protocol import files

        os.makedirs(self._folder, PRIVATE_FOLDER, exist_ok=True)
        os.chmod(self._folder, PRIVATE_FOLDER)
        numbers = [int(name[:-4]) for name in self._names()]
        path = self._path(max(numbers, default=0) + 1)
        files.write_atomically(path, _text(made, words), PRIVATE_FILE)
        for name in self._names()[:-KEPT]:
            os.unlink(os.path.join(self._folder, name))
        return path

    def latest(self) -> tuple[str, list[Step], dict[str, str]] | None:
        """Return the newest file's path and content, None where there is none."""
        names = self._names()
        if not names:
            return None
        path = os.path.join(self._folder, names[-1])
        root = etree.parse(path).getroot()
        words = {str(name): str(value) for name, value in root.attrib.items()}
        return path, [_step(one) for one in root], words

    def drop(self, path: str) -> None:
        """Forget an apply that was taken back, or that never came about."""
        os.unlink(path)

    def _names(self) -> list[str]:
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        return sorted(n for n in names if n.endswith(".xml") and n[:-4].isdigit())

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, f"{number:06d}.xml")


def _text(made: list[Step], words: dict[str, str]) -> str:
    root = etree.Element("undo")
    for name, value in words.items():
        root.set(name, value)
    for step in made:
        one = etree.SubElement(root, "step", container=step.container, id=step.ident)
        one.set("next", step.next_id)
        for tag, element in (("before", step.before), ("after", step.after)):
            if element is not None:
                etree.SubElement(one, tag).append(copy.deepcopy(element))
    return etree.tostring(root, encoding="unicode", pretty_print=True)


def _step(element: etree._Element) -> Step:
    before, after = element.find("before/*"), element.find("after/*")
    words = (str(element.get(name)) for name in ("container", "id", "next"))
    container, ident, next_id = words
    return Step(container, ident, before, after, next_id)
