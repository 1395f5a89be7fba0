"""The benchmarks of ``tests/bench``, each side by side with what vmha replaces.

main      the command: subcommands, tables, JSON
meter     what commands cost inside a host: CPU, time, processes
cost      the recurring monitor of each agent, for 1, 100 and 300 guests on a node
fencing   status, off and reboot of the fence agents, in seconds
table     plain text or, where it is installed, rich

The behaviour of the agents is compared in ``tests/behaviour``, that of the fence agents
in ``tests/fencing``.
"""
