"""What a tool of Pacemaker said when it declined, in one line for people.

Pure. Asked for XML, the tools answer their errors in XML too: ``<status>`` with a code
and a message, and ``<errors>``; older ones add what they have to say on stderr.
"""

from __future__ import annotations

from lxml import etree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vmha.agents.protocol.process import Result

LONGEST = 300
INVALID = "validity error : "


def said(result: Result) -> str:
    """Return the reason; never XML, never empty."""
    words = _of_xml(result.stdout) or _plain(result.stderr) or _plain(result.stdout)
    fault = _invalid(result.stderr)
    if fault and fault not in words:
        words = f"{words}: {fault}"
    if not words:
        return f"it ended with {result.exit_code}"
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def _of_xml(text: str) -> str:
    """Return the errors in an answer, "" where it is none in XML."""
    start, end = text.find("<pacemaker-result"), text.rfind("</pacemaker-result>")
    if start < 0 or end < 0:
        return ""
    try:
        root = etree.fromstring(text[start:end].encode() + b"</pacemaker-result>")
    except etree.XMLSyntaxError:
        return ""
    found = [" ".join(str(one.text or "").split()) for one in root.iter("error")]
    status = root.find("status")
    if status is not None and status.get("message"):
        found.insert(0, str(status.get("message")))
    return "; ".join(dict.fromkeys(word for word in found if word))


def _invalid(text: str) -> str:
    """Return what the schema's validator found first, "" where it found nothing.

    It is written beside the answer, which says no more than that something is invalid.
    """
    lines = (line.partition(INVALID) for line in text.splitlines())
    return next((found.strip() for _, sign, found in lines if sign), "")


def _plain(text: str) -> str:
    """Return the lines that are no XML, joined."""
    lines = [line.strip() for line in text.splitlines()]
    return "; ".join(line for line in lines if line and not line.startswith("<"))
