"""The declaration of ``ocf:vmha:NodeCapacity``: its texts and parameters.

Everything is reloadable: there is nothing that a change must restart. Imports nothing
but the protocol, because meta-data is asked for in bulk.
"""

from __future__ import annotations

from vmha.agents.protocol.parameters import INTEGER, STRING, Parameter

NAME = "NodeCapacity"
SHORTDESC = "Tells the cluster what each node can carry"
LONGDESC = """\
Keeps the node's utilization capacity in the cluster's configuration: cpu (processors),
host_memory and hv_memory (MiB), and guests (how many at once). Use it as a clone.
ocf:vmha:VirtualMachine and ocf:heartbeat:VirtualDomain keep the other half, what each
guest needs, under the same names. Both count once placement-strategy is set, for
example to balanced.

The figures follow the node: processors or memory that go offline lower them, and they
rise again when those come back. Something is written only when a figure has changed.
What is advertised stays when the agent stops: a node without a figure counts as a node
that can carry nothing.

With can_host the agent also says, for each guest named there, whether this node could
start or receive it now, in the node attribute vmha-can-host-RESOURCE: 1 or 0, and for a
0 the reason in vmha-why-not-RESOURCE (crm_mon --show-node-attributes). A location rule
then keeps the cluster from choosing a node where a start or migration must fail:
score=-INFINITY vmha-can-host-RESOURCE eq 0. On the node where the guest runs it is
always 1."""

FIRST_DIGITS = 4  # of a ratio, before and after the point


def _ratio(text: str) -> str:
    """Accept a decimal number above 0."""
    whole, _, fraction = text.partition(".")
    fine = (
        text.isascii()
        and text.count(".") <= 1
        and (whole + fraction).isdigit()
        and len(whole) in range(1, FIRST_DIGITS + 1)
        and len(fraction) <= FIRST_DIGITS
        and not text.endswith(".")
        and int(whole + fraction) > 0
    )
    return "" if fine else "give a decimal number above 0, such as 4.0"


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "reserve_cpu",
        INTEGER,
        "Processors that are not for guests",
        "So many of the node's online processors are kept for the node itself; the "
        "others, times cpu_ratio, are advertised as cpu.",
        default="0",
        minimum=0,
        maximum=65536,
        reloadable=True,
    ),
    Parameter(
        "reserve_memory",
        INTEGER,
        "Memory in MiB that is not for guests",
        "So much of the node's memory is kept for the node itself and for what each "
        "emulator needs beside its guest's memory; the rest is advertised as "
        "host_memory and hv_memory.",
        default="512",
        minimum=0,
        maximum=1_000_000_000,
        reloadable=True,
    ),
    Parameter(
        "cpu_ratio",
        STRING,
        "Virtual processors per real one",
        "How many virtual processors one real processor may carry, as a decimal "
        "number: 4.0 advertises four times the node's processors, after "
        "reserve_cpu. 1.0 does not over-commit.",
        default="1.0",
        reloadable=True,
        check=_ratio,
    ),
    Parameter(
        "guest_slots",
        INTEGER,
        "How many guests the node may carry, 0 for no limit of ours",
        "Advertised as guests, of which each guest needs one. 0 advertises nothing and "
        "leaves what is there; to lift a limit that was set before, give a large "
        "number instead, because guests that need a place would fit nowhere "
        "without one.",
        default="0",
        minimum=0,
        maximum=1_000_000,
        reloadable=True,
    ),
    Parameter(
        "can_host",
        STRING,
        "Guests for which the node says whether it could host them",
        "Ids of ocf:vmha:VirtualMachine resources, separated by spaces, or all. For "
        "each of them the node attribute vmha-can-host-RESOURCE is kept: 1 if the "
        "guest runs here or could, 0 if its definition, disks, storage pools, "
        "networks or machine type are missing here. A look that gave no answer "
        "changes nothing; three in a row make it 0 where the guest is proven not to "
        "run. Empty: the attributes are removed.",
        reloadable=True,
    ),
)
