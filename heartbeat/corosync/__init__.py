"""Corosync's configuration: written from a cluster file, read, and its times told."""
