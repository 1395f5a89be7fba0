"""Every parameter of ``ocf:vmha:VirtualMachine``, by what it is about.

A parameter has one declaration; parsing, checks and metadata come from it.
"""
