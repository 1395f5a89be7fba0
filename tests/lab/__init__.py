"""A real cluster on one machine."""

from .lab import Lab

__all__ = ["Lab"]
