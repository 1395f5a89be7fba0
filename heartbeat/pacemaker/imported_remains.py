"""What of a cluster's resources a cluster file has no words for, as sentences.

Pure. Called by ``importing``. Nothing of it is changed by an import; what vmha would
set otherwise, once it is given the guests (``--adopt``), is said with it.
"""

from __future__ import annotations

from collections import defaultdict

from lxml import etree

from vmha.agents import cib as reading
from vmha.heartbeat.pacemaker import timeouts
from vmha.heartbeat.pacemaker.live import GUEST_AGENTS
from vmha.heartbeat.pacemaker.rendering import MARK
from vmha.heartbeat.pacemaker.target import is_marked
from vmha.heartbeat.pacemaker.terms import CPU_NAME, MEMORY_NAMES
from vmha.heartbeat.pacemaker.times import seconds
from vmha.heartbeat.pacemaker.turns import AFTER, DELAY, TURN
from vmha.heartbeat.planning.instructions import SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CARRIED = frozenset(
    (
        *("priority", "is-managed", "allow-migrate", "resource-stickiness", "critical"),
        *(MARK, SIZE, TURN, AFTER, DELAY),
    )
)
"""Meta attributes that a file says, or that vmha sets by its own rules."""
_SIZES = (CPU_NAME, *MEMORY_NAMES)  # that ``live`` takes
_CONTAINERS = ("group", "clone", "master", "bundle")


class Found(dict[str, list[str]]):
    """What is said of several resources alike, once for all of them."""

    def add(self, said: str, name: str) -> None:
        """Note one resource of which it is said."""
        self.setdefault(said, []).append(name)

    def told(self) -> list[str]:
        """Return one sentence for each thing that is said."""
        return [f"{', '.join(names)}: {said}" for said, names in sorted(self.items())]


def told(cib: etree._Element, sizes: Mapping[str, int]) -> list[str]:
    """Return what is left as it is; ``sizes`` are the guests' memory in MiB."""
    asked = reading.parse(etree.tostring(cib, encoding="unicode"))
    guests = set(asked.of_agents(GUEST_AGENTS))
    lines = list(_strangers(cib, guests))
    found = Found()
    for one in cib.iterfind("configuration/resources//primitive"):
        ident = str(one.get("id"))
        is_device = _source(cib, one).get("class") == "stonith"
        if ident not in guests and not is_device:
            continue
        kind = "device" if is_device else "guest"
        for said in _settings(cib, one, sizes.get(ident, 0)):
            found.add(said, f"{kind} {ident}")
    return [*lines, *found.told()]


def _strangers(cib: etree._Element, guests: set[str]) -> Iterator[str]:
    """Yield the resources that are no guests, and guests inside of something."""
    for one in cib.iterfind("configuration/resources//primitive"):
        ident, source = str(one.get("id")), _source(cib, one)
        if one.get("template"):
            yield f"resource {ident}: it is made from a template"
        if one.find("meta_attributes/rule") is not None:
            yield f"resource {ident}: a rule decides over its meta attributes"
        if source.get("class") == "stonith":
            continue
        if ident not in guests:
            words = (source.get("class"), source.get("provider"), source.get("type"))
            agent = ":".join(str(word) for word in words if word)
            yield f"resource {ident} ({agent}) is no guest"
        else:
            for outer in one.iterancestors(*_CONTAINERS):
                yield f"guest {ident}: it is in the {outer.tag} {outer.get('id')}"


def _settings(cib: etree._Element, one: etree._Element, memory: int) -> Iterator[str]:
    owners = dict.fromkeys((_source(cib, one), one))
    pairs: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for owner in owners:
        for tag in ("meta_attributes", "utilization"):
            for pair in owner.iterfind(f"{tag}/nvpair"):
                pairs[tag][str(pair.get("name"))] = str(pair.get("value") or "")
    for name, value in sorted(pairs["meta_attributes"].items()):
        if name not in CARRIED:
            yield f"meta attribute {name}={value}"
    for name, value in sorted(pairs["utilization"].items()):
        if name not in _SIZES:
            yield f"utilization {name}={value}, which vmha would take away"
    if is_marked(one):
        return
    is_device = _source(cib, one).get("class") == "stonith"
    for owner in owners:
        for operation in owner.iterfind("operations/op"):
            if is_device:
                yield from _of_device(operation)
            else:
                yield from _operation(operation, memory)


def _operation(operation: etree._Element, memory: int) -> Iterator[str]:
    """Yield what is longer than vmha would set it, or of another kind."""
    name = str(operation.get("name"))
    given_s = seconds(operation.get("timeout"))
    ours_s = {
        "start": timeouts.START_S,
        "stop": timeouts.stop_s(memory),
        "migrate_to": timeouts.migrate_to_s(memory),
        "migrate_from": timeouts.MIGRATE_FROM_S,
    }.get(name)
    if ours_s is not None and given_s is not None and given_s > ours_s:
        yield f"operation {name} has {given_s:g} s, and vmha would set {ours_s} s"
    if operation.get("on-fail"):
        yield f"operation {name} has on-fail={operation.get('on-fail')}"


def _of_device(operation: etree._Element) -> Iterator[str]:
    """Yield how a device is watched, where vmha would do it more often or shorter."""
    interval_s = seconds(operation.get("interval"))
    ours_s = timeouts.DEVICE_MONITOR_INTERVAL_S
    if interval_s is not None and interval_s > ours_s:
        yield f"a monitor every {interval_s:g} s; vmha would look every {ours_s} s"
    if operation.get("timeout"):
        name = operation.get("name")
        yield f"operation {name} has a timeout of {operation.get('timeout')}"


def _source(cib: etree._Element, one: etree._Element) -> etree._Element:
    """Return what says of which agent a primitive is: its template, or it."""
    name = one.get("template")
    if name:
        for template in cib.iterfind("configuration/resources/template"):
            if template.get("id") == name:
                return template
    return one
