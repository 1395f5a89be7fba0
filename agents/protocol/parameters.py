"""One declaration per parameter: it feeds parsing, checking and metadata.

Called by ``agent.run`` and by the fence agents' options. A bad value is reported when
it is *used*, not when it is read: a stop must not fail over a typo in a parameter that
it does not need. ``Values.problems`` lists all of them for start and validate-all.
"""

from __future__ import annotations

from vmha.agents.protocol.errors import BadParameter, MissingParameter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable

STRING = "string"
BOOLEAN = "boolean"
INTEGER = "integer"
SECOND = "second"  # fence metadata only; OCF 1.1 has no such type
SELECT = "select"

YES = ("1", "yes", "true", "on", "y", "t")
NO = ("0", "no", "false", "off", "n", "f")


class Parameter:
    """A parameter as users, Pacemaker, pcs and crm see it.

    ``unique_group``  resources may not share its value (OCF 1.1 unique-group)
    ``reloadable``    a change is applied by reload-agent instead of a restart
    ``check``         gets the text, returns what would be accepted, or "" if it is fine
    ``aliases``       older names that are read as well (fence agents)
    ``deprecated``    what to use instead; the value is read, and said to be unused
    ``option``        the command-line spelling of a fence option
    """

    __slots__ = (
        "aliases",
        "check",
        "choices",
        "default",
        "deprecated",
        "kind",
        "longdesc",
        "maximum",
        "minimum",
        "name",
        "option",
        "reloadable",
        "required",
        "shortdesc",
        "unique_group",
    )

    def __init__(
        self,
        name: str,
        kind: str,
        shortdesc: str,
        longdesc: str = "",
        *,
        default: str | None = None,
        required: bool = False,
        unique_group: str | None = None,
        reloadable: bool = False,
        choices: Sequence[str] = (),
        minimum: int | None = None,
        maximum: int | None = None,
        check: Callable[[str], str] | None = None,
        aliases: Sequence[str] = (),
        deprecated: str | None = None,
        option: str = "",
    ) -> None:
        self.name = name
        self.kind = kind
        self.shortdesc = shortdesc
        self.longdesc = longdesc or shortdesc
        self.default = default
        self.required = required
        self.unique_group = unique_group
        self.reloadable = reloadable
        self.choices = tuple(choices)
        self.minimum = minimum
        self.maximum = maximum
        self.check = check
        self.aliases = tuple(aliases)
        self.deprecated = deprecated
        self.option = option


class Values:
    """The parameters of one call, as given; bad ones raise when they are used."""

    __slots__ = ("_declared", "_given")

    def __init__(self, declared: Sequence[Parameter], given: Mapping[str, str]) -> None:
        self._declared = {parameter.name: parameter for parameter in declared}
        self._given = dict(given)

    def __contains__(self, name: str) -> bool:
        """Tell whether the agent has such a parameter."""
        return name in self._declared

    def given(self, name: str) -> bool:
        """Tell whether the user gave a value (an empty one counts as none)."""
        return name in self._given

    def text(self, name: str) -> str:
        """Return the value or its default ("" without one); raises BadParameter."""
        parameter = self._declared[name]
        text = self._given.get(name, parameter.default or "")
        if not text:
            if parameter.required:
                raise MissingParameter(name, parameter.shortdesc)
            return ""
        accepted = _accepted(parameter, text)
        if accepted:
            raise BadParameter(name, text, accepted)
        if parameter.kind == SELECT:
            return next(c for c in parameter.choices if c.lower() == text.lower())
        return text

    def number(self, name: str) -> int:
        """Return an integer parameter, 0 where there is neither value nor default."""
        return int(self.text(name) or "0")

    def flag(self, name: str) -> bool:
        """Return a boolean parameter, False where there is no value nor default."""
        return self.text(name).lower() in YES

    def having(self, name: str, text: str) -> Values:
        """Return the same values with one of them changed."""
        return Values(tuple(self._declared.values()), {**self._given, name: text})

    def problems(self) -> list[BadParameter]:
        """Return every bad or missing value, in the order of the declarations."""
        found = []
        for name in self._declared:
            try:
                self.text(name)
            except BadParameter as problem:
                found.append(problem)
        return found

    def deprecated(self) -> list[Parameter]:
        """Return the deprecated parameters that were given."""
        declared = self._declared.values()
        return [p for p in declared if p.deprecated and p.name in self._given]

    def require_good(self) -> None:
        """Raise the first of the problems, if there is any."""
        for problem in self.problems():
            raise problem


def read(
    declared: Sequence[Parameter], environ: Mapping[str, str], prefix: str = ""
) -> Values:
    """Pick the declared parameters out of a mapping; others are ignored.

    The main name wins over an alias. An empty value counts as not given.
    """
    given = {}
    for parameter in declared:
        for name in (parameter.name, *parameter.aliases):
            text = environ.get(prefix + name, "")
            if text:
                given[parameter.name] = text
                break
    return Values(declared, given)


def _accepted(parameter: Parameter, text: str) -> str:
    """Return "" for a good value, else a clause that says what is accepted."""
    if parameter.kind == BOOLEAN:
        fine = text.lower() in YES + NO
        return "" if fine else "give yes or no (also 1/0, true/false, on/off)"
    if parameter.kind == SELECT:
        fine = text.lower() in (choice.lower() for choice in parameter.choices)
        return "" if fine else "give one of " + ", ".join(parameter.choices)
    if parameter.kind in (INTEGER, SECOND):
        return _accepted_number(parameter, text)
    return parameter.check(text) if parameter.check else ""


def _accepted_number(parameter: Parameter, text: str) -> str:
    low, high = parameter.minimum, parameter.maximum
    digits = text[1:] if text[:1] == "-" else text
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        number = int(text)
        if (low is None or number >= low) and (high is None or number <= high):
            return ""
    if low is not None and high is not None:
        return f"give a whole number from {low} to {high}"
    if low is not None:
        return f"give a whole number of at least {low}"
    return "give a whole number"
