"""Declarations → OCF 1.1 metadata and fence-agent metadata.

Called for the action meta-data only. Sources: OCF Resource Agent API 1.1 (ra-api.rng:
version, longdesc, shortdesc, parameters, actions, in this order; longdesc before
shortdesc in a parameter) and fence-agents' metadata.rng.
"""

from __future__ import annotations

from vmha.agents.protocol.parameters import SELECT
from vmha.agents.protocol.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vmha.agents.protocol.agent import Action, Agent
    from vmha.agents.protocol.parameters import Parameter

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


def escape(text: str) -> str:
    """Escape a text for XML content and double-quoted attributes."""
    return text.translate(_ESCAPES)


def ocf_xml(agent: Agent) -> str:
    """Return the OCF 1.1 metadata document of a resource agent."""
    return "\n".join(
        [
            '<?xml version="1.0"?>',
            f'<resource-agent name="{agent.name}" version="{VERSION}">',
            "<version>1.1</version>",
            f'<longdesc lang="en">\n{escape(agent.longdesc)}\n</longdesc>',
            f'<shortdesc lang="en">{escape(agent.shortdesc)}</shortdesc>',
            "<parameters>",
            *(_ocf_parameter(parameter) for parameter in agent.parameters),
            "</parameters>",
            "<actions>",
            *(_ocf_action(action) for action in agent.actions),
            "</actions>",
            "</resource-agent>\n",
        ]
    )


def _ocf_parameter(parameter: Parameter) -> str:
    flags = f' required="{int(parameter.required)}"'
    flags += f' reloadable="{int(parameter.reloadable)}"'
    if parameter.unique_group:
        flags += f' unique-group="{parameter.unique_group}"'
    deprecated = ""
    if parameter.deprecated:
        sentence = escape(parameter.deprecated)
        deprecated = f'<deprecated><desc lang="en">{sentence}</desc></deprecated>\n'
    return (
        f'<parameter name="{parameter.name}"{flags}>\n{deprecated}'
        f"{_texts(parameter)}\n{_content(parameter)}\n</parameter>"
    )


def _texts(parameter: Parameter) -> str:
    return (
        f'<longdesc lang="en">\n{escape(parameter.longdesc)}\n</longdesc>\n'
        f'<shortdesc lang="en">{escape(parameter.shortdesc)}</shortdesc>'
    )


def _content(parameter: Parameter) -> str:
    default = ""
    if parameter.default is not None:
        default = f' default="{escape(parameter.default)}"'
    if parameter.kind != SELECT:
        return f'<content type="{parameter.kind}"{default}/>'
    options = "".join(
        f'<option value="{escape(choice)}"/>' for choice in parameter.choices
    )
    return f'<content type="select"{default}>{options}</content>'


def _ocf_action(action: Action) -> str:
    extras = ""
    if action.interval_s is not None:
        extras += f' interval="{action.interval_s}s"'
    if action.depth is not None:
        extras += f' depth="{action.depth}"'
    return f'<action name="{action.name}" timeout="{action.timeout_s}s"{extras}/>'


def fence_xml(
    name: str,
    shortdesc: str,
    longdesc: str,
    parameters: Sequence[Parameter],
    actions: Sequence[tuple[str, str]],
) -> str:
    """Return the metadata document of a fence agent.

    ``actions`` are pairs of a name and further attributes, such as
    ``("on", 'automatic="0"')``.
    """
    return "\n".join(
        [
            '<?xml version="1.0" ?>',
            f'<resource-agent name="{name}" shortdesc="{escape(shortdesc)}" >',
            f"<longdesc>{escape(longdesc)}</longdesc>",
            "<vendor-url></vendor-url>",
            "<parameters>",
            *(_fence_parameter(parameter) for parameter in parameters),
            "</parameters>",
            "<actions>",
            *(f'\t<action name="{action}" {more}/>' for action, more in actions),
            "</actions>",
            "</resource-agent>\n",
        ]
    )


def _fence_parameter(parameter: Parameter) -> str:
    """Write a parameter, and each of its older names as an obsoleted twin."""
    flags = f' obsoletes="{parameter.aliases[0]}"' if parameter.aliases else ""
    if parameter.deprecated:
        flags = ' deprecated="1"' + flags
    rows = [_fence_entry(parameter, parameter.name, flags)]
    rows += [
        _fence_entry(parameter, old, ' deprecated="1"') for old in parameter.aliases
    ]
    return "\n".join(rows)


def _fence_entry(parameter: Parameter, name: str, extra: str) -> str:
    required = int(parameter.required)
    text = parameter.longdesc
    if parameter.deprecated:
        text = f"{parameter.shortdesc}: {parameter.deprecated}"
    return (
        f'\t<parameter name="{name}" unique="0" required="{required}"{extra}>\n'
        f'\t\t<getopt mixed="{escape(parameter.option)}" />\n'
        f"\t\t{_content(parameter)}\n"
        f'\t\t<shortdesc lang="en">{escape(text)}</shortdesc>\n'
        "\t</parameter>"
    )
