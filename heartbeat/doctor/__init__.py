"""The doctor: what will go wrong in this cluster, found before it does.

It looks and explains; it changes nothing.
"""
