"""What a node tells of itself: one module for each part of ``vmha node-facts``.

Each asks something that may hang or be absent, within the deadline it is given, and
raises an AgentError that says why it could not tell. Nothing is changed.
"""
