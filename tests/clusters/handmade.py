"""CIBs put together by hand, from elements as other tools write them."""

from __future__ import annotations

from lxml import etree


def element(tag: str, **words: str) -> etree._Element:
    return etree.Element(tag, {k.replace("_", "-"): v for k, v in words.items()})


def pairs(tag: str, owner: str, values: dict[str, str]) -> etree._Element:
    one = element(tag, id=f"{owner}-{tag}")
    for number, (name, value) in enumerate(values.items()):
        words = {"id": f"{owner}-{tag}-{number}", "name": name, "value": value}
        one.append(element("nvpair", **words))
    return one


def primitive(ident: str, agent: str, **sets: dict[str, str]) -> etree._Element:
    words = agent.split(":")
    names = ("class", "type") if len(words) == 2 else ("class", "provider", "type")
    one = element("primitive", id=ident, **dict(zip(names, words)))
    for tag, values in sets.items():
        one.append(pairs(tag, ident, values))
    return one


def guest(ident: str, size: tuple[int, int] = (1, 1024), **meta: str) -> etree._Element:
    needs = {"cpu": str(size[0]), "hv_memory": str(size[1])}
    return primitive(
        ident,
        "ocf:heartbeat:VirtualDomain",
        instance_attributes={"config": f"/srv/{ident}.xml"},
        meta_attributes={name.replace("_", "-"): text for name, text in meta.items()},
        utilization=needs,
    )


def device(ident: str, agent: str, **parameters: str) -> etree._Element:
    return primitive(ident, f"stonith:{agent}", instance_attributes=parameters)


def document(
    *resources: etree._Element,
    nodes: tuple[str, ...] = ("n1", "n2", "n3"),
    constraints: tuple[etree._Element, ...] = (),
    levels: tuple[etree._Element, ...] = (),
) -> etree._Element:
    cib = element("cib")
    root = etree.SubElement(cib, "configuration")
    listed = etree.SubElement(root, "nodes")
    for number, name in enumerate(nodes, 1):
        node = element("node", id=str(number), uname=name)
        capacity = {"cpu": "8", "hv_memory": "65536"}
        node.append(pairs("utilization", f"node-{number}", capacity))
        listed.append(node)
    etree.SubElement(root, "resources").extend(resources)
    etree.SubElement(root, "constraints").extend(constraints)
    if levels:
        etree.SubElement(root, "fencing-topology").extend(levels)
    etree.SubElement(cib, "status")
    return cib
