"""The cluster around the agents: Corosync, Pacemaker, planning, the command."""
