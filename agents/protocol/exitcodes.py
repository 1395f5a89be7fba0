"""The exit codes of OCF 1.1 and what Pacemaker does on each.

Called by every agent; never decides anything itself.
"""

OK = 0  # the action held
GENERIC = 1  # soft: recover here or elsewhere; on stop: the node is fenced
ARGS = 2  # hard: this node is banned, others are tried; a value is wrong *here*
UNIMPLEMENTED = 3  # hard, ignored for recurring actions: no such action
PERMISSION = 4  # hard: this node is banned, something was refused here
INSTALLED = 5  # hard: this node is banned; a probe's 5 is read as "not running"
CONFIGURED = 6  # fatal: the value is wrong everywhere, no node is tried
NOT_RUNNING = 7  # proven absent: on a probe the guest may be started elsewhere
DEGRADED = 190  # counts as 0 and is shown: it works, and something is not as it should
