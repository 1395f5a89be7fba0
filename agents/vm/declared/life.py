"""How the guest is started and stopped."""

from __future__ import annotations

from vmha.agents.protocol.parameters import BOOLEAN, SELECT, STRING, Parameter
from vmha.agents.vm.declared.checks import SHUTDOWN_MODES, shutdown_methods

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "force_stop",
        BOOLEAN,
        "Stop without asking the guest",
        "Stop the guest by taking its power away at once, without asking it to shut "
        "down. The guest's file systems will have to recover.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "shutdown_mode",
        STRING,
        "How to ask the guest to shut down",
        "One or more methods, in their order, separated by commas: "
        + ", ".join(SHUTDOWN_MODES)
        + ". A method that fails, or that the guest does not follow, is followed by "
        "the next. Without it the hypervisor's default is used. In the end the guest "
        "is destroyed, inside the stop timeout.",
        reloadable=True,
        check=shutdown_methods,
    ),
    Parameter(
        "start_resources",
        BOOLEAN,
        "Start the networks and storage pools that the guest uses",
        "Start inactive virtual networks and storage pools that the guest's definition "
        "names, before the guest is started, and on the target before it is migrated. "
        "They are never stopped.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "autostart",
        SELECT,
        "What to do about a guest that libvirt would start by itself",
        "A persistent guest that is marked autostart is started by libvirt when the "
        "node boots, beside the cluster, and may then run twice. clear: start and "
        "migration take the mark away. refuse: they fail until an administrator has "
        "(virsh autostart --disable).",
        choices=("clear", "refuse"),
        default="clear",
        reloadable=True,
    ),
    Parameter(
        "leftover_definition",
        SELECT,
        "What becomes of a persistent definition of a guest given by config",
        "A guest given by config needs no definition in libvirt. One that is left "
        "there (virsh define, virt-manager) is kept, or undefined after the guest "
        "is proven stopped. It is not undefined where config lies in libvirt's own "
        "folder, since libvirt would delete the file, nor where a saved memory image "
        "or a snapshot hangs on it.",
        choices=("keep", "undefine"),
        default="keep",
        reloadable=True,
    ),
    Parameter(
        "nvram",
        SELECT,
        "What becomes of UEFI variables when a definition is undefined",
        "Only with leftover_definition=undefine: the guest's UEFI variable store is "
        "kept or removed with it.",
        choices=("keep", "remove"),
        default="keep",
        reloadable=True,
    ),
    Parameter(
        "tpm_state",
        SELECT,
        "What becomes of TPM state when a definition is undefined",
        "Only with leftover_definition=undefine: the state of the guest's emulated "
        "TPM is kept or removed with it.",
        choices=("keep", "remove"),
        default="keep",
        reloadable=True,
    ),
    Parameter(
        "peer_unknown",
        SELECT,
        "What to do when another node cannot say whether the guest runs there",
        "Before a start the other online nodes' libvirt is asked whether this "
        "guest, by UUID, lives there; if it does, the start fails and names the "
        "node. A node that does not answer within about a second is unknown. start: "
        "the guest is started all the same, since one dead libvirt must not keep it "
        "down. fail: the start fails.",
        choices=("start", "fail"),
        default="start",
        reloadable=True,
    ),
    Parameter(
        "save_config_on_stop",
        BOOLEAN,
        "Write the running definition back to config at stop",
        "When the guest is stopped or migrated and its definition has changed since "
        "it began to run on the node, it is written to config: devices attached to "
        "the running guest are kept. A file that means the same is left alone. "
        "Written in one step; a failure is logged and stops nothing.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "sync_config_on_stop",
        BOOLEAN,
        "Send config to the other nodes with csync2 at stop",
        "As save_config_on_stop, and then csync2 sends the file that was written to "
        "the other nodes.",
        default="false",
        reloadable=True,
    ),
    Parameter(
        "snapshot",
        STRING,
        "Folder for memory images",
        "Not supported. The guest is shut down instead. A memory image that is "
        "resumed after the guest has run elsewhere destroys its file systems; live "
        "migration keeps a guest running through maintenance.",
        deprecated="Not supported; the guest is shut down instead",
        reloadable=True,
    ),
    Parameter(
        "backingfile",
        STRING,
        "Image below a copy-on-write disk",
        "Not supported. Create the overlay once with qemu-img create -b, or give "
        "the disk the element <transient/> in the definition.",
        deprecated="Not supported; create the overlay once with qemu-img create -b",
        reloadable=True,
    ),
    Parameter(
        "stateless",
        BOOLEAN,
        "Make the guest forget its changes",
        "Not supported. Give the disk the element <transient/> in the definition: "
        "libvirt then drops what was written when the guest stops.",
        deprecated="Not supported; give the disk the element <transient/>",
        reloadable=True,
    ),
    Parameter(
        "copyindirs",
        STRING,
        "Folders copied into a new image",
        "Not supported. Prepare the image before the guest is started, with virt- "
        "copy-in or cloud-init, or in a resource ordered before the guest.",
        deprecated="Not supported; prepare the image before the guest is started",
        reloadable=True,
    ),
)
