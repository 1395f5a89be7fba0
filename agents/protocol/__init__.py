"""What every agent shares; the standard library only, and as little of it as works.

``meta-data`` is asked for in bulk by pcs and crm, so nothing here imports logging,
typing, enum, dataclasses, argparse or subprocess at module level.
"""
