"""What the user or Pacemaker wants: name=value lines on stdin, or a command line.

The same declarations feed the parsing of both, the help and the metadata. stdin is not
read when there is any argument. Sources: the Fence Agent API and fence_ipmilan's habits
(quotes around a value are removed, dash and underscore are the same, names that are not
known are passed over).
"""

from __future__ import annotations

from vmha.agents.protocol import parameters
from vmha.agents.protocol.errors import AgentError, BadParameter, MissingParameter
from vmha.agents.protocol.parameters import BOOLEAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.parameters import Parameter, Values


ACTIONS = ("on", "off", "reboot", "status", "monitor", "diag", "list", "metadata")


class BadUsage(AgentError):
    """The command line cannot be understood."""


class BadSecret(BadParameter):
    """A parameter whose value must not be shown is wrong."""

    def __init__(self, name: str, accepted: str) -> None:
        super().__init__(name, "", accepted)
        self.args = (f"parameter {name} is not accepted: {accepted}",)


class Options:
    """One call's wishes: its values, and the names that nobody knows."""

    __slots__ = ("unknown", "values")

    def __init__(self, values: Values, unknown: Sequence[str]) -> None:
        self.values = values
        self.unknown = tuple(unknown)

    @property
    def action(self) -> str:
        """Return the action in the spelling of the metadata."""
        action = self.values.text("action").lower()
        return "metadata" if action == "meta-data" else action


def from_stdin(declared: Sequence[Parameter], text: str) -> Options:
    """Read ``name=value`` lines; the last one of a name counts."""
    given: dict[str, str] = {}
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, _, value = line.partition("=")
        given[name.strip().replace("-", "_")] = _without_quotes(value)
    known = {name for p in declared for name in (p.name, *p.aliases)}
    unknown = sorted(set(given) - known - {"nodename"})
    return Options(parameters.read(declared, given), unknown)


def from_arguments(declared: Sequence[Parameter], argv: Sequence[str]) -> Options:
    """Read a command line; raises BadUsage for what is no option."""
    import getopt  # 6 ms that stdin, the fencer's way, does not pay

    spellings = {}
    shorts, longs = "", []
    for parameter in declared:
        for word in parameter.option.replace(",", " ").split():
            flag, equals, _ = word.partition("=")
            spellings[flag] = parameter
            if flag.startswith("--"):
                longs.append(flag[2:] + ("=" if equals else ""))
        short = parameter.option.partition(",")[0]
        if len(short) == 2:
            shorts += short[1] + (":" if "=" in parameter.option else "")
    try:
        pairs, rest = getopt.gnu_getopt(list(argv), shorts, longs)
    except getopt.GetoptError as error:
        raise BadUsage(f"{error.msg}; see --help") from error
    if rest:
        # Not by name, unless it is an action: it may be the end of a secret.
        word = repr(rest[0]) if rest[0].lower() in ACTIONS else "one of the words"
        raise BadUsage(f"{word} is no option; see --help (did you mean -o?)")
    given: dict[str, str] = {}
    for flag, value in pairs:
        parameter = spellings[flag]
        given[parameter.name] = "1" if parameter.kind == BOOLEAN else value
    return Options(parameters.read(declared, given), ())


def device_address(values: Values) -> str:
    """Return the name or address of the one device; raises BadParameter without one."""
    if not values.flag("port_as_ip"):
        host = values.text("ip")
        if not host:
            raise MissingParameter("ip", "give the name or address of the BMC")
        return host
    host = values.text("plug") or values.text("ip")
    if not host:
        raise MissingParameter("plug", "port_as_ip takes the BMC's address from it")
    if values.text("plug_separator") in host:
        raise BadParameter("plug", host, "give one BMC only, it has one node")
    return host


def usage(name: str, declared: Sequence[Parameter]) -> str:
    """Return the help text."""
    lines = [f"Usage: {name} [options], or name=value lines on standard input"]
    for parameter in declared:
        text = parameter.shortdesc
        if parameter.deprecated:
            text = f"not used: {parameter.deprecated}"
        if parameter.default:
            text += f" (default: {parameter.default})"
        lines.append(f"  {parameter.option:<32} {text}")
    return "\n".join(lines) + "\n"


def _without_quotes(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] == '"'
    return value[1:-1] if quoted else value
