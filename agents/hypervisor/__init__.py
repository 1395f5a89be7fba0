"""Everything that talks to libvirt; the only place that imports it.

- ``connection``    open, and call with a bound: a hung daemon is left behind
- ``errors``        libvirt's error numbers → what they mean for a decision
- ``capabilities``  what each driver can do, known before it is tried
- ``domains``       look up, state, start, shut down, destroy
- ``migration``     URIs, the job, its abort
- ``resources``     networks and storage pools that a guest needs
- ``hosting``       whether this node has what a guest needs
- ``sizing``        how large a guest is
"""
