"""What the guest needs of a node, told to Pacemaker as utilization."""

from __future__ import annotations

from vmha.agents.protocol.parameters import BOOLEAN, Parameter

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "autoset_utilization_cpu",
        BOOLEAN,
        "Keep the utilization cpu of the resource",
        "The guest's virtual processors is written to the utilization attribute cpu "
        "of the resource when it starts, arrives or is reconfigured, and only if it "
        "differs. It counts where placement-strategy is set and nodes have capacity "
        "of that name (ocf:vmha:NodeCapacity).",
        default="true",
        reloadable=True,
    ),
    Parameter(
        "autoset_utilization_host_memory",
        BOOLEAN,
        "Keep the utilization host_memory of the resource",
        "The guest's memory in MiB is written to the utilization attribute "
        "host_memory of the resource when it starts, arrives or is reconfigured, "
        "and only if it differs. It counts where placement-strategy is set and "
        "nodes have capacity of that name (ocf:vmha:NodeCapacity).",
        default="true",
        reloadable=True,
    ),
    Parameter(
        "autoset_utilization_hv_memory",
        BOOLEAN,
        "Keep the utilization hv_memory of the resource",
        "The guest's memory in MiB is written to the utilization attribute "
        "hv_memory of the resource when it starts, arrives or is reconfigured, and "
        "only if it differs. It counts where placement-strategy is set and nodes "
        "have capacity of that name (ocf:vmha:NodeCapacity).",
        default="true",
        reloadable=True,
    ),
    Parameter(
        "autoset_utilization_guests",
        BOOLEAN,
        "Keep the utilization guests of the resource",
        "The guest's place among a node's guests, which is 1 is written to the "
        "utilization attribute guests of the resource when it starts, arrives or is "
        "reconfigured, and only if it differs. It counts where placement-strategy "
        "is set and nodes have capacity of that name (ocf:vmha:NodeCapacity).",
        default="true",
        reloadable=True,
    ),
    Parameter(
        "unset_utilization_cpu",
        BOOLEAN,
        "Remove the utilization cpu of the resource",
        "The utilization attribute cpu is removed from the resource. "
        "autoset_utilization_cpu wins over it.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "unset_utilization_host_memory",
        BOOLEAN,
        "Remove the utilization host_memory of the resource",
        "The utilization attribute host_memory is removed from the resource. "
        "autoset_utilization_host_memory wins over it.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "unset_utilization_hv_memory",
        BOOLEAN,
        "Remove the utilization hv_memory of the resource",
        "The utilization attribute hv_memory is removed from the resource. "
        "autoset_utilization_hv_memory wins over it.",
        default="false",
        reloadable=True,
    ),
)
