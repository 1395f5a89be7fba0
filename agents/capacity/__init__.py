"""``ocf:vmha:NodeCapacity``: what a node can carry, told to the cluster.

- ``parameters``  what users may set
- ``host``        the node's processors and memory, as they are online
- ``advertised``  pure: from host and parameters to the figures that are advertised
- ``judgement``   pure: from a look at a guest to its "can host" attribute
- ``guest``       one guest of the cluster as configured, looked at from this node
- ``watch``       one round over the guests
- ``actions``     start, stop, monitor, reload-agent, validate-all
- ``main``        wires them up
"""
