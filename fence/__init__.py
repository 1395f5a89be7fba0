"""Fence agents: what powers a node off and proves it.

- ``protocol``  options, the pure power sequence, run()
- ``ipmi``      ``fence_vmha_ipmi``
- ``sbin``      the executables, with the names they are installed under
"""
