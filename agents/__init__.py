"""Resource agents: what keeps one guest running on one node.

Which package to open for which question:

- ``protocol``    what every agent shares: parameters, metadata, deadline, run()
- ``pacemaker``   what an agent tells and asks its local cluster
- ``hypervisor``  everything that talks to libvirt
- ``domainxml``   everything that reads a guest's XML
- ``vm``          ``ocf:vmha:VirtualMachine`` itself
- ``resource.d``  the executables, with the names they are installed under
"""
