"""Everything that reads a guest's XML; the only place in agents that imports lxml.

- ``document``  text → a parsed definition, refused in one sentence if it is broken
- ``identity``  the name, UUID and hypervisor type it declares
- ``devices``   the networks and storage pools it needs
- ``needs``     all that it needs to find on a node
- ``host``      what the hypervisor says of itself
- ``status``    libvirt's own record of an active guest: whose a controller is
"""
