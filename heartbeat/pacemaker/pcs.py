"""A Configuration as ``pcs`` commands, one a line, for a cluster that has none of it.

Pure. The commands are those of pcs 0.11 and 0.12. Each line is a word for word argument
list as well, so that tests and ``vmha render`` use the same.
"""

from __future__ import annotations

from vmha.heartbeat.pacemaker.cib import score
from vmha.heartbeat.pacemaker.configuration import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Location,
    NodeSettings,
    Primitive,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Words = list[str]


def text(configuration: Configuration) -> str:
    """Return the commands as lines of shell."""
    import shlex

    lines = [shlex.join(words) for words in commands(configuration)]
    return "\n".join(lines) + "\n"


def commands(configuration: Configuration) -> Iterator[Words]:
    """Yield each command; in this order every one finds what it names."""
    yield ["pcs", "property", "set", *_pairs(configuration.properties)]
    for node in configuration.nodes:
        yield from _node(node)
    for resource in configuration.resources:
        yield from _resource(resource)
    for constraint in configuration.constraints:
        yield _constraint(constraint)
    for level in configuration.fencing_levels:
        words = ["pcs", "stonith", "level", "add", str(level.index), level.node]
        yield [*words, *level.devices]
    if configuration.resource_defaults:
        defaults = _pairs(configuration.resource_defaults)
        yield ["pcs", "resource", "defaults", "update", *defaults]


def _node(node: NodeSettings) -> Iterator[Words]:
    if node.attributes:
        yield ["pcs", "node", "attribute", node.name, *_pairs(node.attributes)]
    if node.utilization:
        values = {name: str(value) for name, value in node.utilization.items()}
        yield ["pcs", "node", "utilization", node.name, *_pairs(values)]


def _resource(resource: Primitive | Clone) -> Iterator[Words]:
    if isinstance(resource, Clone):
        yield from _resource(resource.primitive)
        yield ["pcs", "resource", "clone", resource.primitive.id, resource.id]
        return
    is_device = resource.agent.startswith("stonith:")
    kind = "stonith" if is_device else "resource"
    agent = resource.agent.removeprefix("stonith:")
    words = ["pcs", kind, "create", resource.id, agent, *_pairs(resource.parameters)]
    for operation in resource.operations:
        words += ["op", operation.name, f"interval={operation.interval_s}s"]
        if operation.timeout_s is not None:
            words.append(f"timeout={operation.timeout_s}s")
        words += _pairs(operation.options)
    if resource.meta:
        words += ["meta", *_pairs(resource.meta)]
    yield words if is_device else [*words, "--no-default-ops"]
    if resource.utilization:
        values = {name: str(value) for name, value in resource.utilization.items()}
        yield ["pcs", "resource", "utilization", resource.id, *_pairs(values)]


def _constraint(one: Constraint) -> Words:
    words = ["pcs", "constraint"]
    if isinstance(one, Location):
        place = [one.id, one.resource, one.node, score(one.score)]
        return [*words, "location", "add", *place]
    if isinstance(one, Colocation):
        said = [one.resource, "with", one.with_resource, f"score={score(one.score)}"]
        if one.node_attribute:
            said.append(f"node-attribute={one.node_attribute}")
        return [*words, "colocation", "add", *said, f"id={one.id}"]
    said = [one.first, "then", one.then, f"kind={one.kind}", f"id={one.id}"]
    return [*words, "order", *said]


def _pairs(pairs: Mapping[str, str]) -> Words:
    return [f"{name}={value}" for name, value in sorted(pairs.items())]
