"""Pacemaker's configuration: written from a cluster file, read from a CIB, compared."""
