"""``fence_vmha_ipmi``: the power of a node through its BMC, over IPMI 2.0."""
