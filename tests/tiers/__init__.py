"""The logic of ``tests/all``: prepare the machine, run every tier, count, report.

declared   the tiers, their time budgets, the packages they need
machine    apt packages and the cached environment of pinned tools
child      one command: streamed, logged, ended at its limit with all it started
outcome    numbers passed, failed and skipped, read from pytest's own report
report     the lines, the table and the JSON
main       options and order

Standard library only: it runs on a bare machine before anything is installed.
"""
