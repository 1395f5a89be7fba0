"""``ocf:vmha:VirtualMachine``: one guest, started, watched, moved and stopped.

- ``parameters``   the declaration: names, texts, actions
- ``identity``     who the guest is: from parameters, record or libvirt's list
- ``record``       what start wrote down about it, per resource instance
- ``emulator``     proof by process table, without libvirt
- ``container``    containers in the process table, and whose they are
- ``observation``  libvirt and the process table, put together
- ``states``       the decision tables, pure
- ``lifecycle``    start
- ``stop``         stop, its escalation and its proof
- ``monitor``      probe and recurring monitor
- ``migrate``      migrate_to, the way there
- ``arrival``      migrate_from, the target's side
- ``newcomer``     who has arrived in the place of the guest that was meant
- ``main``         wires one operation to the above
"""
