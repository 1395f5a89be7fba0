"""A Configuration as text for ``crm configure load update FILE``.

Pure. crmsh 4 and 5 read it. Entries are in the order of the Configuration.
"""

from __future__ import annotations

from vmha.heartbeat.pacemaker.cib import OPTIONS, score
from vmha.heartbeat.pacemaker.configuration import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    FencingLevel,
    Location,
    NodeSettings,
    Primitive,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CONTINUED = " \\\n    "


def text(configuration: Configuration) -> str:
    """Return the whole configuration."""
    return "\n".join(entries(configuration)) + "\n"


def entries(configuration: Configuration) -> Iterator[str]:
    """Yield each entry; one may go over several lines."""
    for node in configuration.nodes:
        yield _node(node)
    for resource in configuration.resources:
        yield from _resource(resource)
    for constraint in configuration.constraints:
        yield _constraint(constraint)
    if configuration.fencing_levels:
        yield _topology(configuration.fencing_levels)
    yield _entry(f"property {OPTIONS}:", _pairs(configuration.properties))
    if configuration.resource_defaults:
        defaults = _pairs(configuration.resource_defaults)
        yield _entry("rsc_defaults vmha-rsc-defaults:", defaults)


def _node(node: NodeSettings) -> str:
    values = {name: str(value) for name, value in node.utilization.items()}
    parts = [_part("attributes", node.attributes), _part("utilization", values)]
    return _entry(f"node {node.name}", parts)


def _resource(resource: Primitive | Clone) -> Iterator[str]:
    if isinstance(resource, Clone):
        yield from _resource(resource.primitive)
        head = f"clone {resource.id} {resource.primitive.id}"
        yield _entry(head, [_part("meta", resource.meta)])
        return
    values = {name: str(value) for name, value in resource.utilization.items()}
    parts = [
        _part("params", resource.parameters),
        _part("meta", resource.meta),
        _part("utilization", values),
    ]
    for operation in resource.operations:
        words = {"interval": f"{operation.interval_s}s", **operation.options}
        if operation.timeout_s is not None:
            words["timeout"] = f"{operation.timeout_s}s"
        parts.append(f"op {operation.name} {' '.join(_pairs(words))}")
    yield _entry(f"primitive {resource.id} {resource.agent}", parts)


def _constraint(one: Constraint) -> str:
    if isinstance(one, Location):
        where = f"{one.resource} {score(one.score)}: {one.node}"
        return f"location {one.id} {where}"
    if isinstance(one, Colocation):
        pair = f"{one.resource} {one.with_resource}"
        said = f"colocation {one.id} {score(one.score)}: {pair}"
        attribute = one.node_attribute
        return f"{said} node-attribute={attribute}" if attribute else said
    return f"order {one.id} {one.kind}: {one.first} {one.then}"


def _topology(levels: Iterable[FencingLevel]) -> str:
    nodes: dict[str, list[FencingLevel]] = {}
    for level in levels:
        nodes.setdefault(level.node, []).append(level)
    parts = []
    for node, own in nodes.items():
        ranked = sorted(own, key=lambda level: level.index)
        devices = " ".join(",".join(level.devices) for level in ranked)
        parts.append(f"{node}: {devices}")
    return _entry("fencing_topology", parts)


def _entry(head: str, parts: Iterable[str]) -> str:
    return CONTINUED.join([head, *(part for part in parts if part)])


def _part(word: str, pairs: Mapping[str, str]) -> str:
    return f"{word} {' '.join(_pairs(pairs))}" if pairs else ""


def _pairs(pairs: Mapping[str, str]) -> list[str]:
    return [f"{name}={_quoted(value)}" for name, value in sorted(pairs.items())]


def _quoted(value: str) -> str:
    """Quote what crmsh would take apart."""
    if value and all(c.isalnum() or c in "-_./:+@%" for c in value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
