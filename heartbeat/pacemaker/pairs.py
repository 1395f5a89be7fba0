"""The name-value pairs of one owner in a CIB, of which only vmha's own are changed.

Used by ``target`` for nodes and resources. A pair is vmha's own if its id begins with
"vmha-".
"""

from __future__ import annotations

from lxml import etree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = "vmha-"


def is_own(element: etree._Element) -> bool:
    """Tell whether vmha wrote an element, by its id."""
    return str(element.get("id") or "").startswith(OWN)


class Pairs:
    """All pairs of one kind (``tag``) of an owner; sets with a rule are not looked at.

    ``own_set`` is the id of the set in which new pairs go. ``may_take``: the values of
    others' pairs may be changed, because the owner is vmha's or is taken over.
    """

    def __init__(
        self, owner: etree._Element, tag: str, own_set: str, may_take: bool
    ) -> None:
        self.others: tuple[str, ...] = ()
        self._owner = owner
        self._tag = tag
        self._own_set = own_set
        self._may_take = may_take

    def become(self, wanted: Mapping[str, str], alone: bool = False) -> dict[str, str]:
        """Make the pairs these; return those left alone, with the value they have.

        ``alone``: there may be no others beside them.
        """
        present = self._present()
        refused: dict[str, str] = {}
        for name, value in sorted(wanted.items()):
            pair = present.get(name)
            if pair is None:
                self._add(name, value)
            elif pair.get("value") == value:
                continue
            elif is_own(pair) or self._may_take:
                pair.set("value", value)
            else:
                refused[name] = str(pair.get("value"))
        for name, pair in present.items():
            if name not in wanted and (alone or is_own(pair)):
                self._remove(pair)
        strange = [n for n, p in self._present().items() if n not in wanted]
        self.others = tuple(sorted(strange))
        return refused

    def _present(self) -> dict[str, etree._Element]:
        return {
            str(pair.get("name")): pair
            for one in reversed(self._owner.findall(self._tag))
            for pair in one.iterfind("nvpair")
            if one.find("rule") is None
        }

    def _add(self, name: str, value: str) -> None:
        sets = self._owner.findall(self._tag)
        own = next((s for s in sets if s.get("id") == self._own_set), None)
        if own is None:
            own = etree.Element(self._tag, id=self._own_set)
            operations = self._owner.find("operations")
            if operations is not None:
                operations.addprevious(own)
            else:
                self._owner.append(own)
        ident = f"{self._own_set}-{name}"
        place = next((p for p in own if str(p.get("name")) > name), None)
        made = etree.Element("nvpair", id=ident, name=name, value=value)
        if place is not None:
            place.addprevious(made)
        else:
            own.append(made)

    def _remove(self, pair: etree._Element) -> None:
        parent = pair.getparent()
        if parent is None:
            return
        parent.remove(pair)
        if not len(parent):
            self._owner.remove(parent)
