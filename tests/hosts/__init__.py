"""Two hosts on one machine, for tests of agents: real libvirtd, real QEMU guests.

- ``keeper``     PID 1 of a host: mounts, hostname, reaping; ends the host with the test
- ``host``       a host from outside: its daemon, its files, its processes
- ``operation``  one call of a resource agent inside a host
- ``pair``       two of them with a cable
- ``guests``     guests on a host: definition, counter on the serial console
- ``containers``  containers of libvirt's lxc driver, and what is left of them
- ``pool``       guests that boot ahead of the tests
- ``installed``  the agents as a package would install them

A host is a set of namespaces (mount, network, PID, UTS, IPC) over the machine's own
root. It needs root and no KVM, and leaves nothing behind when its keeper ends.
"""
