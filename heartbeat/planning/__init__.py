"""What Pacemaker will do when nodes are lost, and what a perfect packing could do.

Pure and standard library only: no files, no programs, no clock. Called by the command
and by tests; it decides nothing in a cluster.
"""
