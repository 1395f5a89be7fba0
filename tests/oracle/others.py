"""Random CIBs as others write them, each from a seed, with a status in which they run.

What vmha never writes is in them: locations by pattern, by set, by tag and by rule,
opt-in clusters, names of nodes in capitals, resources that are no guests, scores and
stickiness of any size, nodes in standby and in maintenance, guests that are stopped or
not managed, orders. Everything the planner claims to reckon with, and nothing else.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from lxml import etree

from vmha.heartbeat.pacemaker import state
from vmha.heartbeat.pacemaker.cluster import parsed

SCORES = ("-INFINITY", "-INFINITY", "-INFINITY", "-100", "50", "100", "200", "INFINITY")
COMPANY = ("-INFINITY", "-INFINITY", "INFINITY", "INFINITY", "-50", "50", "1000")
STICKINESS = (None, "0", "1", "100", "INFINITY", "-5")
SIZES_MIB = (1024, 2048, 4096, 8192)
STANDBY = (("standby", "on"), ("standby", "true"))
ODD = ("strategy", "group", "ticket", "order", "pattern", "set", "failures")
MAINTENANCE = ("maintenance", "true")

WHOLE = """\
<cib validate-with="pacemaker-3.0" crm_feature_set="3.0.14" admin_epoch="0" epoch="10"
 num_updates="3" have-quorum="1" dc-uuid="1"><configuration>
<crm_config><cluster_property_set id="cib-bootstrap-options">{options}
</cluster_property_set></crm_config>
<nodes>{nodes}</nodes><resources>{resources}</resources>
<constraints>{constraints}</constraints>{tags}{defaults}
</configuration><status/></cib>"""


class Drawn(NamedTuple):
    """A CIB with its status, and the names of its guests and nodes."""

    cib: etree._Element
    guests: tuple[str, ...]
    nodes: tuple[str, ...]


def drawn(seed: int, is_odd: bool = False) -> Drawn:
    """Draw the CIB of this seed; ``is_odd``: with what the planner does not know."""
    return _Draw(random.Random(f"others {seed} {is_odd}"), is_odd).whole()


class _Draw:
    def __init__(self, chance: random.Random, is_odd: bool) -> None:
        self.chance = chance
        self.odd = chance.choice(ODD) if is_odd else ""
        self.count = 0
        self.nodes = [f"n{at}" for at in range(1, chance.randint(3, 6) + 1)]
        self.free: dict[str, int] = {}
        self.running: dict[str, str] = {}
        self.tags: list[str] = []
        self.guests: list[str] = []
        self.dummies = [f"d{at}" for at in range(chance.choice([0, 0, 1, 2]))]
        self.waiting: set[str] = set()
        self.has_priorities = chance.random() < 0.5

    def whole(self) -> Drawn:
        nodes = "".join(self._node(at) for at in range(len(self.nodes)))
        resources = self._resources()
        words = {
            "options": self._options(),
            "nodes": nodes,
            "resources": "".join(resources),
            "constraints": "".join(self._constraints()),
            "tags": f"<tags>{''.join(self.tags)}</tags>" if self.tags else "",
            "defaults": self._defaults(),
        }
        cib = state.with_state(parsed(WHOLE.format(**words)), self.running)
        self._rest(cib)
        if self.odd == "failures":
            self._fail(cib)
        return Drawn(cib, tuple(sorted(self.guests)), tuple(self.nodes))

    def _ident(self) -> str:
        self.count += 1
        return f"x{self.count}"

    def _pair(self, name: str, value: object) -> str:
        return f'<nvpair id="{self._ident()}" name="{name}" value="{value}"/>'

    def _options(self) -> str:
        strategy = "utilization"
        if self.odd == "strategy":
            strategy = self.chance.choice(["default", "balanced", "minimal"])
        options = {"stonith-enabled": "true", "placement-strategy": strategy}
        if self.chance.random() < 0.3:
            options["symmetric-cluster"] = "false"
        if self.chance.random() < 0.04:
            options["maintenance-mode"] = "true"
        if self.chance.random() < 0.04:
            options["stop-all-resources"] = "yes"
        return "".join(self._pair(name, value) for name, value in options.items())

    def _defaults(self) -> str:
        stickiness = self.chance.choice(STICKINESS)
        if stickiness is None:
            return ""
        pair = self._pair("resource-stickiness", stickiness)
        ident = self._ident()
        return (
            f'<rsc_defaults><meta_attributes id="{ident}">{pair}</meta_attributes>'
            "</rsc_defaults>"
        )

    def _node(self, at: int) -> str:
        name = self.nodes[at]
        self.free[name] = self.chance.choice([8192, 16384, 16384])
        pairs = self._pair("cpu", 64) + self._pair("hv_memory", self.free[name])
        site = self._pair("site", self.chance.choice("ab"))
        return (
            f'<node id="{at + 1}" uname="{name}"><instance_attributes id='
            f'"{self._ident()}">{site}</instance_attributes>'
            f'<utilization id="{self._ident()}">{pairs}</utilization></node>'
        )

    def _resources(self) -> list[str]:
        made = [self._guest(at) for at in range(self.chance.randint(3, 16))]
        made += [self._other(name, "ocf", "Dummy") for name in self.dummies]
        for name in self.nodes:
            made.append(self._other(f"fence-{name}", "stonith", "fence_vmha_ipmi"))
        self.chance.shuffle(made)
        if self.odd == "group":
            inside = [self._guest(at) for at in (20, 21)]
            made.append(f'<group id="{self._ident()}">{"".join(inside)}</group>')
            self._move_together()
        return made

    def _move_together(self) -> None:
        """Have the guests of the group run where the first of them does, or nowhere."""
        first, second = self.guests[-2:]
        self.running.pop(second, None)
        if first in self.running:
            self.running.pop(first)

    def _guest(self, at: int) -> str:
        name = f"{self.chance.choice(['vm', 'web', 'db'])}{at}"
        self.guests.append(name)
        size = self.chance.choice(SIZES_MIB)
        fitting = [node for node in self.nodes if self.free[node] >= size]
        if fitting and self.chance.random() < 0.92:
            home = self.chance.choice(fitting)
            self.free[home] -= size
            self.running[name] = home
        pairs = self._pair("cpu", 1) + self._pair("hv_memory", size)
        return (
            f'<primitive id="{name}" class="ocf" provider="heartbeat" '
            f'type="VirtualDomain">{self._meta(name)}'
            f'<utilization id="{self._ident()}">{pairs}</utilization></primitive>'
        )

    def _meta(self, name: str) -> str:
        pairs = self._pair("allow-migrate", "true")
        if self.has_priorities:
            pairs += self._pair("priority", self.chance.choice([0, 5, 10]))
        if self.chance.random() < 0.06:
            pairs += self._pair("target-role", "Stopped")
            self.running.pop(name, None)
        elif self.chance.random() < 0.06:
            pairs += self._pair("is-managed", "false")
        elif self.chance.random() < 0.04:
            pairs += self._pair("maintenance", "true")
        if self.chance.random() < 0.1:
            pairs += self._pair("resource-stickiness", self.chance.choice(["0", "75"]))
        if self.chance.random() < 0.1:
            pairs += self._pair("critical", "false")
        return f'<meta_attributes id="{self._ident()}">{pairs}</meta_attributes>'

    def _other(self, name: str, kind: str, agent: str) -> str:
        provider = ' provider="pacemaker"' if kind == "ocf" else ""
        pairs = ""
        if kind == "ocf" and self.chance.random() < 0.25:
            pairs = self._pair("target-role", "Stopped")
        else:
            self.running[name] = self.chance.choice(self.nodes)
        meta = f'<meta_attributes id="{self._ident()}">{pairs}</meta_attributes>'
        return (
            f'<primitive id="{name}" class="{kind}"{provider} type="{agent}">{meta}'
            "</primitive>"
        )

    def _constraints(self) -> list[str]:
        made = [self._opened(name) for name in [*self.guests, *self.dummies]]
        made += [self._opened(f"fence-{name}") for name in self.nodes]
        kinds = [self._by_name, self._by_pattern, self._by_set, self._by_tag]
        kinds += [self._by_rule, self._company, self._company, self._order]
        for _ in range(self.chance.randint(0, 8)):
            made.append(self.chance.choice(kinds)())
        made.append(self._oddity())
        return made

    def _oddity(self) -> str:
        """Return a constraint that the planner does not know."""
        one, other = self._some()
        if self.odd == "ticket":
            return f'<rsc_ticket id="{self._ident()}" rsc="{one}" ticket="T"/>'
        if self.odd == "order":
            return f'<rsc_order id="{self._ident()}" first="{one}" then="{other}"/>'
        if self.odd == "pattern":
            return self._location('rsc-pattern="^(web|vm)[[:digit:]]"', *self._place())
        refs = f'<resource_ref id="{one}"/><resource_ref id="{other}"/>'
        part = f'<resource_set id="{self._ident()}">{refs}</resource_set>'
        if self.odd == "set":
            score = self.chance.choice(["-INFINITY", "500"])
            return (
                f'<rsc_colocation id="{self._ident()}" score="{score}">{part}'
                "</rsc_colocation>"
            )
        return ""

    def _opened(self, name: str) -> str:
        """Return locations that open most nodes, as an opt-in cluster needs them."""
        if self.chance.random() < 0.5:
            return ""
        opened = self.chance.sample(self.nodes, self.chance.randint(2, 3))
        return "".join(
            self._location(f'rsc="{name}"', node, self.chance.choice(["0", "10"]))
            for node in opened
        )

    def _location(self, who: str, node: str, score: str, more: str = "") -> str:
        spelt = node.upper() if self.chance.random() < 0.3 else node
        return (
            f'<rsc_location id="{self._ident()}" {who} node="{spelt}" '
            f'score="{score}"{more}/>'
        )

    def _place(self) -> tuple[str, str]:
        return self.chance.choice(self.nodes), self.chance.choice(SCORES)

    def _by_name(self) -> str:
        name = self.chance.choice([*self.guests, *self.guests, *self.dummies])
        more = self.chance.choice(["", "", ' resource-discovery="exclusive"'])
        return self._location(f'rsc="{name}"', *self._place(), more)

    def _by_pattern(self) -> str:
        patterns = ["^web", "[0-4]$", "!^vm", "^(db|web)[0-9]+$", "vm1?2", "m.$"]
        pattern = self.chance.choice(patterns)
        return self._location(f'rsc-pattern="{pattern}"', *self._place())

    def _some(self) -> list[str]:
        return self.chance.sample(self.guests, min(2, len(self.guests)))

    def _by_set(self) -> str:
        refs = "".join(f'<resource_ref id="{name}"/>' for name in self._some())
        node, score = self._place()
        own = self.chance.choice(["", f' score="{self.chance.choice(SCORES)}"'])
        return (
            f'<rsc_location id="{self._ident()}" node="{node}" score="{score}">'
            f'<resource_set id="{self._ident()}"{own}>{refs}</resource_set>'
            "</rsc_location>"
        )

    def _by_tag(self) -> str:
        tag = f"tag{self._ident()}"
        refs = "".join(f'<obj_ref id="{name}"/>' for name in self._some())
        self.tags.append(f'<tag id="{tag}">{refs}</tag>')
        return self._location(f'rsc="{tag}"', *self._place())

    def _by_rule(self) -> str:
        node, score = self._place()
        first = f'attribute="#uname" operation="eq" value="{node}"'
        second = 'attribute="site" operation="ne" value="a"'
        parts = self.chance.choice([[first], [second], [first, second]])
        inside = "".join(f'<expression id="{self._ident()}" {one}/>' for one in parts)
        name = self.chance.choice(self.guests)
        return (
            f'<rsc_location id="{self._ident()}" rsc="{name}"><rule id='
            f'"{self._ident()}" score="{score}" boolean-op="and">{inside}</rule>'
            "</rsc_location>"
        )

    def _company(self) -> str:
        one, other = self.chance.sample([*self.guests, *self.dummies], 2)
        score = self.chance.choice(COMPANY)
        if score == "INFINITY" and not {one, other} & {*self.dummies}:
            # Two with a size: what Pacemaker does if not both fit, nobody claims.
            score = self.chance.choice(["1000", "1000", "INFINITY"])
        return (
            f'<rsc_colocation id="{self._ident()}" rsc="{one}" with-rsc="{other}" '
            f'score="{score}"/>'
        )

    def _order(self) -> str:
        if not self.dummies:
            return ""
        first, then = self.chance.choice(self.dummies), self.chance.choice(self.guests)
        if then in self.waiting:
            return ""
        self.waiting.add(then)
        kind = self.chance.choice(["Mandatory", "Optional"])
        return (
            f'<rsc_order id="{self._ident()}" first="{first}" then="{then}" '
            f'kind="{kind}"/>'
        )

    def _fail(self, cib: etree._Element) -> None:
        """Let a guest have failed on every node, or on one, as often as can be."""
        name = self.chance.choice(self.guests)
        states = list(cib.iterfind("status/node_state"))
        for one in states if self.chance.random() < 0.5 else states[:1]:
            outer = one.find("transient_attributes")
            if outer is None:
                outer = etree.SubElement(one, "transient_attributes")
                outer.set("id", str(one.get("id")))
            inner = etree.SubElement(outer, "instance_attributes")
            inner.set("id", self._ident())
            text = self._pair(f"fail-count-{name}#start_0", "INFINITY")
            inner.append(etree.fromstring(text))

    def _rest(self, cib: etree._Element) -> None:
        """Put nodes into standby and maintenance, for ever or until they restart."""
        for node in cib.iterfind("configuration/nodes/node"):
            if self.chance.random() > 0.15:
                continue
            kinds = [*STANDBY, MAINTENANCE, MAINTENANCE]
            pair = etree.fromstring(self._pair(*self.chance.choice(kinds)))
            own = node.find("instance_attributes")
            if own is not None and self.chance.random() < 0.5:
                own.append(pair)
                continue
            for one in cib.iterfind("status/node_state"):
                if one.get("id") == node.get("id"):
                    outer = etree.SubElement(one, "transient_attributes")
                    outer.set("id", str(one.get("id")))
                    inner = etree.SubElement(outer, "instance_attributes")
                    inner.set("id", self._ident())
                    inner.append(pair)
