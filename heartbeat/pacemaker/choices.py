"""Rules over node attributes: whether Pacemaker lets one hold for a node.

Pure. Used by ``locations`` and the doctor. Only what compares texts is known, which is
what pcs and crm write for nodes; times and numbers are not. Source: Pacemaker
Explained, "Rules".
"""

from __future__ import annotations

from lxml import etree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def holds(rule: etree._Element, attributes: Mapping[str, str]) -> bool | None:
    """Tell whether a rule holds for a node with these attributes; None: not known."""
    parts = [_part(one, attributes) for one in rule if isinstance(one.tag, str)]
    is_any = rule.get("boolean-op", "and") == "or"
    if is_any in parts:  # one that decides, whatever the others say
        return is_any
    return None if None in parts or not parts else not is_any


def _part(one: etree._Element, attributes: Mapping[str, str]) -> bool | None:
    if one.tag == "rule" and not one.get("id-ref"):
        return holds(one, attributes)
    if one.tag != "expression" or one.get("value-source", "literal") != "literal":
        return None
    name = str(one.get("attribute"))
    if name.startswith("#") and name not in attributes:
        return None  # Pacemaker's own, such as #site-name: it has a value somewhere
    value = attributes.get(name)
    operation = one.get("operation")
    if operation in ("defined", "not_defined"):
        return (value is not None) == (operation == "defined")
    if operation not in ("eq", "ne") or one.get("type", "string") != "string":
        return None
    wanted = one.get("value")
    is_equal = (
        value is not None and wanted is not None and value.lower() == wanted.lower()
    )
    return is_equal == (operation == "eq")
