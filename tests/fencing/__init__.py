"""What a fence agent says in each situation, ours beside fence_ipmilan: one table.

scene      how a situation is brought about: a BMC, its network, its node's true power
judge      from what was seen to a mark: ok, wrong, slow, unsafe; pure
scenarios  the table: situations, and what a fence agent must say in each
play       one situation with one agent
shown      the two columns, the totals, the reasons, JSON

``tests/bench fence-behaviour`` prints it; tests/bmc/test_peer_behaviour.py keeps ours
right, and holds every answer against fence_ipmilan's.
"""
