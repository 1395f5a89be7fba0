"""What an agent answers in each situation, ours beside VirtualDomain: one table.

scenarios  the table: situations, and the answers that OCF allows to each action
stage      how a situation is brought about on two hosts with real QEMU guests
judge      from what was seen to a mark: ok, wrong, slow, unsafe; pure
play       every cell of a situation, at the same time
shown      the two columns, the totals, JSON

``tests/bench behaviour`` prints it; tests/libvirt/test_behaviour.py keeps ours right.
"""
