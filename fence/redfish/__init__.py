"""``fence_vmha_redfish``: the power of a node through its BMC, over Redfish."""
