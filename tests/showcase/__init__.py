"""The story that ``tests/demo`` tells on the lab's cluster.

- ``timeline``   the moments of a failover, and the stages between them (pure)
- ``report``     the same as tables for people and JSON for programs (pure)
- ``suites``     what is compared: vmha, and VirtualDomain with fence_ipmilan
- ``acts``       set up, live migration, the cut, the return
- ``main``       the command: one story, or alternating runs beside the peers
"""
