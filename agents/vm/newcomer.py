"""Which guest a migration has just brought here, where it is not the one meant.

Called by ``arrival`` only, after a failed migrate_from. Two errors are possible: what
arrived and is not found runs on beside a second copy; what was there before and is
taken for it is ended by the stop that follows. So a guest must show by evidence that it
is the newcomer, and where two could be it, neither is taken and a person must look.
"""

from __future__ import annotations

from vmha.agents.protocol import files
from vmha.agents.protocol.errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.cib import Configuration
    from vmha.agents.hypervisor.domains import Sight
    from vmha.agents.pacemaker import Cluster
    from vmha.agents.protocol.deadline import Deadline
    from vmha.agents.protocol.log import Log

# The target's emulator is started when the migration begins, and none takes longer.
LONGEST_MIGRATION_S = 3600.0
CIB_ANSWERS_S = 2.0
FILE_ANSWERS_S = 0.5
ALL_ANSWER_S = 4.0
AGENTS = ("VirtualMachine", "VirtualDomain")
MOST_TOLD = 4


class Candidate:
    """An active guest that may be the newcomer.

    ``age_s`` is how long its emulator has run, None where nobody knows; ``owner`` the
    other resource that has it by the cluster's configuration, "" for none.
    """

    __slots__ = ("age_s", "name", "owner", "uuid")

    def __init__(
        self, name: str, uuid: str, age_s: float | None, owner: str = ""
    ) -> None:
        self.name = name
        self.uuid = uuid
        self.age_s = age_s
        self.owner = owner

    @property
    def is_old(self) -> bool:
        """Tell whether it is known to have been here before the migration."""
        return self.age_s is not None and self.age_s >= LONGEST_MIGRATION_S

    @property
    def may_be_it(self) -> bool:
        """Tell whether all evidence speaks for it but its name."""
        return self.age_s is not None and not self.is_old and not self.owner

    def is_named(self, name: str, uuid: str) -> bool:
        """Tell whether it is called as the meant guest is."""
        return (bool(name) and self.name == name) or (bool(uuid) and self.uuid == uuid)

    def __str__(self) -> str:
        why = "one of several"
        if self.owner:
            why = f"it is resource {self.owner}'s"
        elif self.age_s is None:
            why = "nobody knows since when it runs here"
        elif self.is_old:
            why = f"it has run here for {self.age_s / 3600:.0f} h"
        return f"{self.name} with UUID {self.uuid} ({why})"


def of_that_name(seen: Sequence[Candidate], name: str, uuid: str) -> Candidate | None:
    """Return the one called as the meant guest is: it comes first, and alone.

    libvirt has one guest of a name, so what runs under it keeps the meant one out.
    """
    for candidate in seen:
        if candidate.is_named("" if uuid else name, uuid):
            return candidate  # the meant guest itself, in whatever state it is
    named = [c for c in seen if c.is_named(name, "") and not c.is_old]
    return named[0] if named else None


def only_one(seen: Sequence[Candidate]) -> Candidate | None:
    """Return the one for which all evidence speaks, None where that is not one."""
    fitting = [candidate for candidate in seen if candidate.may_be_it]
    return fitting[0] if len(fitting) == 1 else None


def candidates(
    came: Sequence[Sight], ages_s: dict[str, float] | None
) -> list[Candidate]:
    """Return the candidates among the guests that came; ``ages_s`` is by UUID."""
    return [Candidate(s.name, s.uuid, (ages_s or {}).get(s.uuid)) for s in came]


def note_owners(
    seen: Sequence[Candidate],
    instance: str,
    cluster: Cluster,
    deadline: Deadline,
    log: Log,
) -> None:
    """Note of each candidate which other resource of the cluster has it.

    What cannot be read is logged and is no evidence: the age decides then.
    """
    bound = deadline.part(ALL_ANSWER_S)
    own = instance.partition(":")[0]  # of a clone's instance
    try:
        configuration = cluster.read(bound.part(CIB_ANSWERS_S))
    except AgentError as error:
        log.warning(f"the cluster does not say whose guests are here: {error}")
        return
    for resource in configuration.of_agents(AGENTS):
        if resource == own:
            continue
        if bound.expired():
            log.warning(f"no time was left to see which guests are {resource}'s")
            return
        try:
            names = _names(configuration, resource, bound)
        except AgentError as error:
            log.warning(f"nobody knows which guest is {resource}'s: {error}")
            continue
        for candidate in seen:
            if {candidate.name, candidate.uuid} & names:
                candidate.owner = candidate.owner or resource


def told(seen: Sequence[Candidate]) -> str:
    """Return the end of a sentence about candidates of which none is taken.

    Those that may be it come first.
    """
    ranked = sorted(seen, key=lambda c: (bool(c.owner), c.is_old))
    text = ", ".join(map(str, ranked[:MOST_TOLD]))
    rest = len(ranked) - MOST_TOLD
    return f"{text} and {rest} more" if rest > 0 else text


def _names(configuration: Configuration, resource: str, bound: Deadline) -> set[str]:
    """Return the names and UUIDs that a resource's parameters give its guest."""
    from vmha.agents.domainxml import document, identity

    found: set[str] = set()
    for text in configuration.every_value(resource, "domain"):
        found.add(identity.canonical_uuid(text) or text)
    for path in configuration.every_value(resource, "config"):
        read = files.read_text(path, bound.part(FILE_ANSWERS_S))
        parsed = document.parse(read, path)
        found |= {identity.declared_name(parsed), identity.declared_uuid(parsed)}
    return found - {""}
