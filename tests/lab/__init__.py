"""A real cluster on one machine: Corosync, Pacemaker, libvirt, QEMU, IPMI BMCs.

The whole of it is one class. Everything has a time limit; everything that goes wrong is
a LabError whose text is a sentence.

    from lab import Lab, Progress

    from glob import glob

    with Lab(name="mine", debs=glob("dist/*.deb"), progress=Progress()) as lab:
        lab.configure(["web1", "web2"])    # fencing and guests; or peers=True
        with lab.watch() as watch:               # the witness, from here on
            source = lab.cluster.where("web1")[0]
            cut_s = time.monotonic()
            lab.node(source).cut()
            tick = watch.wait_tick("web1", cut_s, timeout_s=60, not_on=source)
            story = lab.story()                  # logs and BMC journals, one clock
            story.first("fencing requested", source, cut_s).time_s - cut_s
            assert watch.most_copies("web1") == 1
            lab.node(source).heal()
            lab.cluster.wait_online()

Lab      up() and down() (also by ``with``), find(name), node(name), nodes, cluster,
         guest(name, deaf, append) defines a guest on all nodes without a resource,
         guest_file(name), configure(guests, peers), wait_idle(), watch(), story(),
         rack("a") and rack("b"): devices that switch the nodes' power supplies,
         part() and join(): the nodes no longer reach each other, but the BMCs.
         With bare=True, fresh Debian machines instead: systemd and sshd, nothing of a
         cluster or of libvirt, the addresses of the guides (192.0.2.1 and so on).
Node     run(argv, timeout) raises for a failure, cut(), heal(), is_cut(), power(),
         power_off() returns when the last process is gone, power_on() boots after the
         lab's boot_delay_s, wait_booted(), crash(tells) is a panic and, with addresses
         to tell, its crash kernel, service("stop", "libvirtd") and "start",
         pids("libvirtd") as the machine sees them, path("/etc/...") of the live node,
         disk (what it has written; readable when it is dead), guests(), bmc.
Bmc      address, second_address, user, password, port (reachable from the nodes only),
         freeze(), thaw(), unplug(address) and plug() for its networks,
         set_fault("slow", "6") and so on, power(), switch(), journal().
Cluster  run(argv), pcs(*words), where(resource), online(), dc(), status(), is_idle(),
         wait_online(), wait_idle(), wait_where(), add_fencing(node), add_guest(name,
         file); each asks through a node that runs and whose cable is in.
Watch    copies(guest), most_copies(guest), sightings(guest), first_execution(),
         first_tick(), wait_tick(), blackout_s(), unbroken(guest), worst_gap_s.
Story    first(kind, subject, since_s), since(instant_s), events. Kinds: lost, member,
         fencing requested, device asked, device answered, agent said,
         fencing confirmed, start begun, start ended (and stop, migrate_to,
         migrate_from), order power 0, order feed a 0, power cut, dead, power given,
         booting.

All instants are those of time.monotonic(). The guest (lab.guest) needs no lab.
"""

from .errors import LabError
from .lab import Lab
from .progress import Progress

__all__ = ["Lab", "LabError", "Progress"]
