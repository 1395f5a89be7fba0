"""What ``tests/demo`` shows: a guest survives the death of its node.

settings: how the cluster is configured, with the suite's agents or the peers'.
acts: what is done to the cluster and what must hold. comparison: medians, ratios,
limits. report: what is printed and written. main: the command.
"""
